package sim

import (
	"testing"
)

func TestYealinkTakesSettings(t *testing.T) {
	s := settings{"push_xml.sip_notify": "1", "account.1.enable": "1", "account.1.user_name": "1001", "account.1.sip_server.1.address": "acme.test"}
	ps := yealinkPush(s)
	c, _, err := ps.read([]byte(`<?xml version="1.0"?><YealinkIPPhoneConfiguration><Item>account.1.user_name = 1002</Item><Item>linekey.2.type = 16</Item><Item>linekey.2.value = 1003</Item></YealinkIPPhoneConfiguration>`))
	if err != nil {
		t.Fatal(err)
	}
	if a, ok := c.first(); !ok || a.user != "1002" || a.host != "acme.test" || len(c.keys) != 1 || s["account.1.user_name"] != "1001" {
		t.Errorf("%+v, keys %+v", a, c.keys)
	}
	if _, shown, err := ps.read([]byte(`<YealinkIPPhoneTextScreen><Title>T</Title><Text>hello</Text></YealinkIPPhoneTextScreen>`)); err != nil || shown != "hello" {
		t.Errorf("shown %q, %v", shown, err)
	}
	for _, bad := range []string{"", "<x", "<YealinkIPPhoneExecute/>"} {
		if _, _, err := ps.read([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
	if yealinkPush(settings{}).read != nil {
		t.Error("pushes are read without push_xml.sip_notify")
	}
}

func TestSnomTakesSettings(t *testing.T) {
	s := newSnomSettings()
	s.set("xml_notify", "on")
	s.set("user_name1", "1001")
	s.set("user_host1", "acme.test")
	ps := snomPush(s)
	c, _, err := ps.read([]byte(`<IPPhoneSilent><fetch mil="10">phone://mb_exit#set:user_name1=1002&amp;set:fkey2=blf%20sip%3A1003%40acme.test%7C%2A%2A&amp;set:fkey_label2=Grace&amp;reregister</fetch></IPPhoneSilent>`))
	if err != nil {
		t.Fatal(err)
	}
	if a, ok := c.first(); !ok || a.user != "1002" || len(c.keys) != 1 || c.keys[0].target != "1003" || s.get("user_name", "1") != "1001" {
		t.Errorf("%+v, keys %+v", a, c.keys)
	}
	for _, bad := range []string{"", "<IPPhoneSilent/>", "<IPPhoneSilent><fetch>phone://mb_exit#set:a=%zz</fetch></IPPhoneSilent>"} {
		if _, _, err := ps.read([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func FuzzPushed(f *testing.F) {
	f.Add([]byte(`<IPPhoneSilent><fetch mil="10">phone://mb_exit#set:user_name1=1002&amp;reregister</fetch></IPPhoneSilent>`))
	f.Add([]byte(`<YealinkIPPhoneConfiguration><Item>account.1.user_name = 1002</Item></YealinkIPPhoneConfiguration>`))
	s := newSnomSettings()
	s.set("xml_notify", "on")
	f.Fuzz(func(_ *testing.T, body []byte) {
		_, _, _ = snomPush(s).read(body)
		_, _, _ = yealinkPush(settings{"push_xml.sip_notify": "1"}).read(body)
	})
}
