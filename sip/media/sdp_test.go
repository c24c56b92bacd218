package media

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// crlf joins lines as a description; a line may hold several.
func crlf(lines ...string) []byte {
	return []byte(strings.ReplaceAll(strings.Join(lines, "\n")+"\n", "\n", "\r\n"))
}

const head = "v=0\no=root 1 2 IN IP4 192.0.2.7\ns=call\nc=IN IP4 192.0.2.7\nt=0 0"

var here = Local{Addr: netip.MustParseAddrPort("198.51.100.1:20000"), ID: 77, Version: 1}

// answerHead is what our answers to head begin with.
const answerHead = "v=0\no=- 77 1 IN IP4 198.51.100.1\ns=-\nc=IN IP4 198.51.100.1\nt=0 0"

var sdpCases = []struct {
	name   string
	offer  []byte
	stream Stream
	answer []byte
}{
	{
		"a usual phone",
		crlf(head, "m=audio 11780 RTP/AVP 9 8 0 101\na=rtpmap:9 G722/8000\na=rtpmap:8 PCMA/8000\na=rtpmap:0 PCMU/8000\na=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\na=ptime:20\na=sendrecv"),
		Stream{Codec: PCMA, PayloadType: 8, EventType: 101, HasEvents: true, PacketTime: 20 * time.Millisecond, Remote: netip.MustParseAddrPort("192.0.2.7:11780"), Send: true, Receive: true},
		crlf(answerHead, "m=audio 20000 RTP/AVP 8 101\na=ptime:20\na=rtpmap:8 PCMA/8000\na=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\na=sendrecv"),
	},
	{
		"no rtpmap, no events, 30 ms",
		crlf(head, "m=audio 4000 RTP/AVP 0\na=ptime:30"),
		Stream{Codec: PCMU, PacketTime: 30 * time.Millisecond, Remote: netip.MustParseAddrPort("192.0.2.7:4000"), Send: true, Receive: true},
		crlf(answerHead, "m=audio 20000 RTP/AVP 0\na=ptime:30\na=rtpmap:0 PCMU/8000\na=sendrecv"),
	},
	{
		"dynamic payload number, events in capitals, maxptime",
		crlf(head, "m=audio 4000 RTP/AVP 96 97\na=rtpmap:97 TELEPHONE-EVENT/8000\na=rtpmap:96 pcma/8000/1\na=maxptime:10"),
		Stream{Codec: PCMA, PayloadType: 96, EventType: 97, HasEvents: true, PacketTime: 10 * time.Millisecond, Remote: netip.MustParseAddrPort("192.0.2.7:4000"), Send: true, Receive: true},
		crlf(answerHead, "m=audio 20000 RTP/AVP 96 97\na=ptime:10\na=rtpmap:96 PCMA/8000\na=rtpmap:97 telephone-event/8000\na=fmtp:97 0-15\na=sendrecv"),
	},
	{
		"video, encrypted and disabled audio are refused in their places",
		crlf(head, "a=group:BUNDLE v s a", "m=video 5000 RTP/AVP 99 100\na=rtpmap:99 H264/90000\na=mid:v",
			"m=audio 5002 RTP/SAVP 0\na=mid:s", "m=audio 0 RTP/AVP 0", "m=audio 5004 RTP/AVP 0\na=mid:a", "m=audio 5006 RTP/AVP 0"),
		Stream{Codec: PCMU, PacketTime: 20 * time.Millisecond, Remote: netip.MustParseAddrPort("192.0.2.7:5004"), Send: true, Receive: true, mediaSection: 3},
		crlf(answerHead, "m=video 0 RTP/AVP 99 100\na=mid:v", "m=audio 0 RTP/SAVP 0\na=mid:s", "m=audio 0 RTP/AVP 0",
			"m=audio 20000 RTP/AVP 0\na=ptime:20\na=rtpmap:0 PCMU/8000\na=sendrecv\na=mid:a", "m=audio 0 RTP/AVP 0"),
	},
	{
		"hold by sendonly, address of the stream",
		crlf(head, "m=audio 4000 RTP/AVP 0\nc=IN IP4 203.0.113.9\na=sendonly"),
		Stream{Codec: PCMU, PacketTime: 20 * time.Millisecond, Remote: netip.MustParseAddrPort("203.0.113.9:4000"), Receive: true},
		crlf(answerHead, "m=audio 20000 RTP/AVP 0\na=ptime:20\na=rtpmap:0 PCMU/8000\na=recvonly"),
	},
	{
		"listener, by an attribute of the session",
		crlf(head, "a=recvonly", "m=audio 4000 RTP/AVP 0"),
		Stream{Codec: PCMU, PacketTime: 20 * time.Millisecond, Remote: netip.MustParseAddrPort("192.0.2.7:4000"), Send: true},
		crlf(answerHead, "m=audio 20000 RTP/AVP 0\na=ptime:20\na=rtpmap:0 PCMU/8000\na=sendonly"),
	},
	{
		"inactive goes before the session's attribute",
		crlf(head, "a=sendrecv", "m=audio 4000 RTP/AVP 0\na=inactive"),
		Stream{Codec: PCMU, PacketTime: 20 * time.Millisecond, Remote: netip.MustParseAddrPort("192.0.2.7:4000")},
		crlf(answerHead, "m=audio 20000 RTP/AVP 0\na=ptime:20\na=rtpmap:0 PCMU/8000\na=inactive"),
	},
	{
		"hold by the zero address",
		crlf("v=0\no=- 1 1 IN IP4 192.0.2.7\ns=-\nc=IN IP4 0.0.0.0\nt=0 0", "m=audio 4000 RTP/AVP 0"),
		Stream{Codec: PCMU, PacketTime: 20 * time.Millisecond, Receive: true},
		crlf(answerHead, "m=audio 20000 RTP/AVP 0\na=ptime:20\na=rtpmap:0 PCMU/8000\na=recvonly"),
	},
	{
		"IPv6, times kept",
		crlf("v=0\no=- 1 1 IN IP6 2001:db8::7\ns=-\nc=IN IP6 2001:db8::7\nt=3724394400 3724398000", "m=audio 4000 RTP/AVP 8"),
		Stream{Codec: PCMA, PayloadType: 8, PacketTime: 20 * time.Millisecond, Remote: netip.MustParseAddrPort("[2001:db8::7]:4000"), Send: true, Receive: true},
		crlf("v=0\no=- 77 1 IN IP4 198.51.100.1\ns=-\nc=IN IP4 198.51.100.1\nt=3724394400 3724398000", "m=audio 20000 RTP/AVP 8\na=ptime:20\na=rtpmap:8 PCMA/8000\na=sendrecv"),
	},
	{
		"lines out of order, LF only, blanks, lines missing",
		[]byte("\ns=-\nm=audio  4000  RTP/AVP  0  101 \na=rtpmap:101 telephone-event/8000\nc= IN  IP4 192.0.2.7\nnonsense\nv=0\n"),
		Stream{Codec: PCMU, EventType: 101, HasEvents: true, PacketTime: 20 * time.Millisecond, Remote: netip.MustParseAddrPort("192.0.2.7:4000"), Send: true, Receive: true},
		crlf(answerHead, "m=audio 20000 RTP/AVP 0 101\na=ptime:20\na=rtpmap:0 PCMU/8000\na=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\na=sendrecv"),
	},
	{
		"a host name and multicast are no address to send to",
		crlf("v=0\no=- 1 1 IN IP4 phone.test\ns=-\nc=IN IP4 phone.test\nt=0 0", "m=audio 4000 RTP/AVP 0"),
		Stream{Codec: PCMU, PacketTime: 20 * time.Millisecond, Send: true, Receive: true},
		crlf(answerHead, "m=audio 20000 RTP/AVP 0\na=ptime:20\na=rtpmap:0 PCMU/8000\na=sendrecv"),
	},
	{
		"a packet time we do not cut",
		crlf(head, "m=audio 4000 RTP/AVPF 0\nc=IN IP4 224.2.1.1/127\na=ptime:25"),
		Stream{Codec: PCMU, PacketTime: 20 * time.Millisecond, Send: true, Receive: true},
		crlf(answerHead, "m=audio 20000 RTP/AVPF 0\na=ptime:20\na=rtpmap:0 PCMU/8000\na=sendrecv"),
	},
}

func TestAnswer(t *testing.T) {
	for _, tc := range sdpCases {
		t.Run(tc.name, func(t *testing.T) {
			o, err := ParseOffer(tc.offer)
			if err != nil {
				t.Fatal(err)
			}
			opts := cmp.Options{cmp.AllowUnexported(Stream{}), cmpopts.EquateComparable(netip.AddrPort{})}
			if d := cmp.Diff(tc.stream, o.Stream(), opts); d != "" {
				t.Error(d)
			}
			got, err := o.Answer(here)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(tc.answer), string(got)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestNoSession(t *testing.T) {
	for _, tc := range []struct {
		name string
		body []byte
		want error
	}{
		{"other codecs", crlf(head, "m=audio 4000 RTP/AVP 9 18\na=rtpmap:9 G722/8000"), ErrNoCodec},
		{"number 0 means something else", crlf(head, "m=audio 4000 RTP/AVP 0\na=rtpmap:0 OPUS/48000/2"), ErrNoCodec},
		{"wide PCMA", crlf(head, "m=audio 4000 RTP/AVP 96\na=rtpmap:96 PCMA/16000"), ErrNoCodec},
		{"encrypted", crlf(head, "m=audio 4000 RTP/SAVPF 0"), ErrNoCodec},
		{"video", crlf(head, "m=video 4000 RTP/AVP 0"), ErrNoCodec},
		{"port 0", crlf(head, "m=audio 0 RTP/AVP 0"), ErrNoCodec},
		{"port too high", crlf(head, "m=audio 65536 RTP/AVP 0"), ErrMalformed},
		{"empty", nil, ErrMalformed},
		{"no media", crlf(head), ErrMalformed},
		{"no SDP", []byte("<xml/>"), ErrMalformed},
		{"port no number", crlf(head, "m=audio x RTP/AVP 0"), ErrMalformed},
		{"NUL", []byte("v=0\r\nm=audio 4000 RTP/AVP 0\x00\r\n"), ErrMalformed},
		{"too long", append(crlf(head, "m=audio 4000 RTP/AVP 0"), make([]byte, maxBody)...), ErrMalformed},
		{"too many streams", crlf(head, strings.Repeat("m=audio 4000 RTP/AVP 0\n", maxSections+1)), ErrMalformed},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := ParseOffer(tc.body); !errors.Is(err, tc.want) {
				t.Errorf("ParseOffer: %v, want %v", err, tc.want)
			}
			if _, err := ParseAnswer(tc.body); !errors.Is(err, tc.want) {
				t.Errorf("ParseAnswer: %v, want %v", err, tc.want)
			}
		})
	}
}

func TestOfferOfOurs(t *testing.T) {
	v6 := Local{Addr: netip.MustParseAddrPort("[2001:db8::1]:20002"), ID: 5}
	got, err := NewOffer(v6)
	if err != nil {
		t.Fatal(err)
	}
	want := crlf("v=0\no=- 5 0 IN IP6 2001:db8::1\ns=-\nc=IN IP6 2001:db8::1\nt=0 0",
		"m=audio 20002 RTP/AVP 0 8 101\na=ptime:20\na=rtpmap:0 PCMU/8000\na=rtpmap:8 PCMA/8000\na=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\na=sendrecv")
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Error(d)
	}
	// Our answer to our own offer is one we can read.
	o, err := ParseOffer(got)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := o.Answer(here)
	if err != nil {
		t.Fatal(err)
	}
	st, err := ParseAnswer(answer)
	if err != nil || st.Codec != PCMU || st.Remote != here.Addr || !st.Send || !st.HasEvents {
		t.Errorf("%+v, %v", st, err)
	}
}

func FuzzParseOffer(f *testing.F) {
	for _, tc := range sdpCases {
		f.Add(tc.offer)
	}
	f.Add([]byte("m=audio 1 RTP/AVP 0\na=mid:\x01\nm=v\xff 1 a/b/c x\x02"))
	f.Fuzz(func(t *testing.T, body []byte) {
		o, err := ParseOffer(body)
		if err != nil {
			return
		}
		answer, err := o.Answer(here)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(strings.TrimSuffix(string(answer), "\r\n"), "\r\n") {
			if len(line) < 3 || line[1] != '=' {
				t.Fatalf("line %q in\n%s", line, answer)
			}
			for i := range len(line) {
				if line[i] < ' ' || line[i] >= 0x7f {
					t.Fatalf("byte %#x in %q", line[i], line)
				}
			}
		}
		again, err := parse(answer)
		if err != nil {
			t.Fatalf("%v in\n%s", err, answer)
		}
		if got, want := len(again.MediaDescriptions), len(o.desc.MediaDescriptions); got != want {
			t.Fatalf("%d m= lines answer %d:\n%s", got, want, answer)
		}
	})
}

func BenchmarkAnswer(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		o, err := ParseOffer(sdpCases[0].offer)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := o.Answer(here); err != nil {
			b.Fatal(err)
		}
	}
}
