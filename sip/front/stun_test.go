package front

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"testing"
)

const cookie = "2112a442b7e7a701bc34d686fa87dfae" // and the transaction of RFC 5769 section 2.1

func unhex(t testing.TB, s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestSTUN holds the answers against the addresses of RFC 5769 sections 2.2
// and 2.3.
func TestSTUN(t *testing.T) {
	v4, v6 := netip.MustParseAddrPort("192.0.2.1:32853"), netip.MustParseAddrPort("[2001:db8:1234:5678:11:2233:4455:6677]:32853")
	for _, tc := range []struct {
		name, in string
		from     netip.AddrPort
		want     string
	}{
		{"IPv4", "00010000" + cookie, v4, "0101000c" + cookie + "002000080001a147e112a643"},
		{"IPv4 mapped", "00010000" + cookie, netip.MustParseAddrPort("[::ffff:192.0.2.1]:32853"), "0101000c" + cookie + "002000080001a147e112a643"},
		{"IPv6", "00010000" + cookie, v6, "01010018" + cookie + "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9"},
		{"attribute that need not be understood", "00010008" + cookie + "8022000361626300", v4, "0101000c" + cookie + "002000080001a147e112a643"},
		{"attribute that must be", "00010004" + cookie + "00060000", v4, "01110024" + cookie + "000900150000" + "0414" + "556e6b6e6f776e20417474726962757465000000" + "000a000200060000"},
		{"length beyond the end", "00010004" + cookie, v4, ""},
		{"more than the length", "00010000" + cookie + "80220000", v4, ""},
		{"attribute beyond the end", "00010004" + cookie + "80220004", v4, ""},
		{"odd length", "00010001" + cookie + "00", v4, ""},
		{"indication", "00110000" + cookie, v4, ""},
		{"response", "0101000c" + cookie + "002000080001a147e112a643", v4, ""},
		{"no cookie", "0001000000000000b7e7a701bc34d686fa87dfae", v4, ""},
		{"short", "0001", v4, ""},
	} {
		if got := hex.EncodeToString(AppendSTUN(nil, unhex(t, tc.in), tc.from)); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
}

func TestSTUNDoesNotAllocate(t *testing.T) {
	msg, from := unhex(t, "00010000"+cookie), netip.MustParseAddrPort("192.0.2.1:1")
	var buf [128]byte
	if n := testing.AllocsPerRun(100, func() { AppendSTUN(buf[:0], msg, from) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzSTUN(f *testing.F) {
	f.Add(unhex(f, "00010000"+cookie))
	f.Add(unhex(f, "00010004"+cookie+"00060000"))
	f.Fuzz(func(t *testing.T, b []byte) {
		out := AppendSTUN(nil, b, netip.MustParseAddrPort("[2001:db8::1]:1"))
		if len(out) > 0 && (!isSTUN(out) || len(out) > 128 || !bytes.Equal(out[4:20], b[4:20]) || int(out[2])<<8+int(out[3]) != len(out)-20) {
			t.Fatalf("%x", out)
		}
	})
}
