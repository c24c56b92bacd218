package all

import (
	"strings"
	"testing"

	"perch/provisioning/brand"
)

// What admins decide about what makers leave open: the text in the file for each
// value, the default first.
var settings = []struct {
	brand       brand.Name
	model, name string
	value, text string
	defaultText string
}{
	{brand.Yealink, "T46U", "yealink_trust_ctrl", "0", "sip.trust_ctrl = 0", "sip.trust_ctrl = 1"},
	{brand.Snom, "D785", "snom_filter_registrar", "off", `<filter_registrar perm="R">off<`, `<filter_registrar perm="R">on<`},
	{brand.Grandstream, "GXP1620", "grandstream_notify_auth_off", "1", "<P4428>1<", "<P4428>0<"},
	{brand.CiscoMPP, "8851", "cisco_mpp_server_type", "Broadsoft", ">Broadsoft<", ">RFC3265_4235<"},
	{brand.CiscoSPA, "SPA504G", "cisco_spa_server_type", "Broadsoft", ">Broadsoft<", "<Server_Type>Asterisk<"},
	{brand.Htek, "UC924", "htek_notify_auth", "1", `CheckSyncWithAuth">1<`, `CheckSyncWithAuth">0<`},
	{brand.SangomaS, "S500", "htek_notify_auth", "1", `CheckSyncWithAuth">1<`, `CheckSyncWithAuth">0<`},
	{brand.Fanvil, "X6U", "fanvil_tls", "2", "<Transport>2<", "<Transport>3<"},
	{brand.Fanvil, "X6U", "fanvil_lamp", "bb", "@1/bb<", "@1/bc<"},
	{brand.Fanvil, "X6U", "fanvil_key_type", "2", "<Type>2</Type>\n        <Value>1000@1/", "<Type>1</Type>\n        <Value>1000@1/"},
}

func TestSettingsOfWhatIsOpen(t *testing.T) {
	for _, s := range settings {
		b, ok := Brands().Find(string(s.brand))
		if !ok {
			t.Fatal(s.brand)
		}
		d := desks()[1]
		d.Model = s.model
		for _, c := range []struct{ value, has string }{{"", s.defaultText}, {s.value, s.text}, {"</x> nonsense", s.defaultText}} {
			d.Custom = nil
			if c.value != "" {
				d.Custom = &brand.Custom{Vars: map[string]brand.Variable{s.name: {Value: c.value, Source: "tenant"}}}
			}
			out, err := b.Render(d, file(d))
			if err != nil || !strings.Contains(string(out.Body), c.has) {
				t.Errorf("%s, %s=%q: no %q, %v", s.brand, s.name, c.value, c.has, err)
			}
		}
	}
}

// opens is how a brand's file says that an idle phone opens the login by itself,
// and that it opens nothing.
var opens = map[brand.Name][2]string{
	brand.Yealink: {"action_url.setup_completed = ", "action_url.setup_completed = %NULL%\n"},
	brand.Snom:    {`<action_setup_url perm="R">`, `<action_setup_url perm="R"></`},
	brand.Mitel:   {"action uri startup: ", "action uri startup: \n"},
	brand.Poly:    {`mb.idleDisplay.home="`, `mb.idleDisplay.home=""`},
}

func TestAnIdlePhoneOpensTheLogin(t *testing.T) {
	for name, place := range opens {
		b, _ := Brands().Find(string(name))
		for _, d := range desks() {
			for _, wanted := range []bool{false, true} {
				d.IdleLogin = wanted
				out, err := b.Render(d, file(d))
				if err != nil {
					t.Fatal(err)
				}
				has := strings.Contains(string(out.Body), place[0]+d.ScreenURL+"login")
				if has != (wanted && !d.Bound) || !has && !strings.Contains(strings.ReplaceAll(string(out.Body), ":\n", ": \n"), place[1]) {
					t.Errorf("%s, bound %v, idle_login %v: opens %v", name, d.Bound, wanted, has)
				}
			}
		}
	}
	gs, _ := Brands().Find("grandstream")
	d := desks()[0]
	d.Model = "GRP2614"
	for wanted, text := range map[bool]string{false: ">No<", true: ">OnBootup<"} {
		d.IdleLogin = wanted
		if out, err := gs.Render(d, file(d)); err != nil || !strings.Contains(string(out.Body), `autoLaunch"`+text) {
			t.Errorf("grandstream, idle_login %v: %v", wanted, err)
		}
	}
}
