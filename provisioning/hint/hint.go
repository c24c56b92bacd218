// Package hint writes what an admin puts into a DHCP server so that phones find
// Perch by themselves: the texts of the options that each brand looks at, and
// pieces of configuration of the usual servers. It is pure; it promises that no
// address can break out of its quotes in any of them.
package hint

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"perch/provisioning/brand"
)

// Hint is all about one brand.
type Hint struct {
	Brand   string   `json:"brand"`
	Class   string   `json:"class,omitempty"` // how option 60 of its requests begins
	Address string   `json:"address"`
	Options []Option `json:"options"`
	Notes   []string `json:"notes"`
	Dnsmasq []string `json:"dnsmasq"`
	ISC     []string `json:"isc_dhcp"`
	Kea     string   `json:"kea"`
}

// Option is one option with what goes into it.
type Option struct {
	Code int    `json:"code"`
	Sub  int    `json:"suboption,omitempty"`
	Text string `json:"text"`
	Hex  string `json:"hex"` // the option's bytes
	Note string `json:"note,omitempty"`
}

// maxOption bounds an option's text: its length is one byte (RFC 2132 section 2),
// a suboption has two more.
const maxOption = 253

// For writes the hints of brands for the folder base, as
// "http://192.0.2.1:8080/acme/". name may be empty: all brands that Perch can
// write files for.
func For(brands brand.List, name, base string) ([]Hint, error) {
	base, err := checkBase(base)
	if err != nil {
		return nil, err
	}
	var want brand.Name
	if name != "" {
		b, ok := brands.Find(name)
		if !ok {
			return nil, fmt.Errorf("brand %s: Perch knows none of that name", name)
		}
		want = b.Name
	}
	out := []Hint{}
	for _, b := range brands {
		if want != "" && b.Name != want || len(b.DHCP.Options) == 0 {
			continue
		}
		h, err := of(b, base)
		if err != nil {
			return nil, err
		}
		out = append(out, h)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("brand %s: it is not known how such a phone finds its server", name)
	}
	return out, nil
}

// checkBase holds that the address is plain: it stands in other programs'
// configuration files.
func checkBase(base string) (string, error) {
	u, err := url.Parse(base)
	switch {
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return "", errors.New("the address must begin with http:// or https:// and name a host")
	case u.RawQuery != "", u.Fragment != "", u.User != nil:
		return "", errors.New("the address must hold neither user, query nor fragment")
	case strings.ContainsFunc(base, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("\"'\\`;,#${}<>|", r) }):
		return "", errors.New("the address must hold plain characters only")
	}
	return strings.TrimSuffix(base, "/") + "/", nil
}

func of(b brand.Brand, base string) (Hint, error) {
	d := b.DHCP
	h := Hint{
		Brand: string(b.Name), Class: d.Class, Address: strings.ReplaceAll(d.Address, "{base}", base), Notes: append([]string{}, d.Notes...),
	}
	if len(h.Address) > maxOption {
		return h, fmt.Errorf("the address has more than %d bytes: no DHCP option takes it", maxOption)
	}
	for _, o := range d.Options {
		h.Options = append(h.Options, Option{Code: o.Code, Sub: o.Sub, Text: h.Address, Hex: encoded(o, h.Address), Note: o.Note})
	}
	if u, err := url.Parse(base); err == nil && u.Scheme == "https" {
		h.Notes = append(h.Notes, "https: the phone must know who issued the server's certificate before it has any configuration")
	}
	h.Dnsmasq, h.ISC, h.Kea = h.dnsmasq(), h.isc(), h.kea()
	return h, nil
}

// encoded are the bytes of an option: for a suboption its code and length before
// the text (RFC 2132 section 8.4).
func encoded(o brand.Option, text string) string {
	b := []byte(text)
	if o.Sub != 0 {
		b = append([]byte{byte(o.Sub), byte(len(b))}, b...)
	}
	return hex.EncodeToString(b)
}

// sure are the options of which nothing is uncertain, or else the first.
func (h Hint) sure() []Option {
	var out []Option
	for _, o := range h.Options {
		if o.Note == "" {
			out = append(out, o)
		}
	}
	if len(out) == 0 {
		return h.Options[:1]
	}
	return out
}

// tag is how the pieces below call the brand's phones.
func (h Hint) tag() string { return "perch-" + h.Brand }

// dnsmasq are lines of dnsmasq.conf. A vendor class is matched by any part of it,
// and a comma would end it; suboptions of 43 are written by their bytes.
func (h Hint) dnsmasq() []string {
	var out []string
	prefix := ""
	if h.Class != "" {
		out = append(out, fmt.Sprintf("dhcp-vendorclass=set:%s,%s", h.tag(), strings.TrimSpace(h.Class[strings.LastIndexByte(h.Class, ',')+1:])))
		prefix = "tag:" + h.tag() + ","
	}
	for _, o := range h.sure() {
		value := `"` + o.Text + `"`
		if o.Sub != 0 {
			value = coloned(o.Hex)
		}
		out = append(out, fmt.Sprintf("dhcp-option=%s%d,%s", prefix, o.Code, value))
	}
	return out
}

// isc are lines of dhcpd.conf. Options that it has no name for are declared.
func (h Hint) isc() []string {
	var out, inside []string
	for _, o := range h.sure() {
		switch {
		case o.Sub != 0:
			inside = append(inside, "option vendor-encapsulated-options "+coloned(o.Hex)+";")
		case o.Code == 66:
			inside = append(inside, `option tftp-server-name "`+o.Text+`";`)
		case o.Code == 43:
			inside = append(inside, "option vendor-encapsulated-options "+coloned(o.Hex)+";")
		default:
			out = append(out, fmt.Sprintf("option perch-%d code %d = text;", o.Code, o.Code))
			inside = append(inside, fmt.Sprintf(`option perch-%d "%s";`, o.Code, o.Text))
		}
	}
	if h.Class == "" {
		return append(out, inside...)
	}
	out = append(out, fmt.Sprintf(`class "%s" {`, h.tag()),
		fmt.Sprintf(`  match if substring(option vendor-class-identifier, 0, %d) = "%s";`, len(h.Class), h.Class))
	for _, line := range inside {
		out = append(out, "  "+line)
	}
	return append(out, "}")
}

// kea is an entry of client-classes in kea-dhcp4.conf.
func (h Hint) kea() string {
	test := ""
	if h.Class != "" {
		test = fmt.Sprintf("\n  \"test\": \"substring(option[60].hex, 0, %d) == '%s'\",", len(h.Class), h.Class)
	}
	var data []string
	for _, o := range h.sure() {
		// Bytes say the same for every option, whatever the server calls it.
		data = append(data, fmt.Sprintf(`{"code": %d, "csv-format": false, "data": "%s"}`, o.Code, strings.ToUpper(o.Hex)))
	}
	return fmt.Sprintf("{\n  \"name\": \"%s\",%s\n  \"option-data\": [\n    %s\n  ]\n}", h.tag(), test, strings.Join(data, ",\n    "))
}

func coloned(digits string) string {
	var b strings.Builder
	for i := 0; i+1 < len(digits); i += 2 {
		if i > 0 {
			b.WriteByte(':')
		}
		b.WriteString(digits[i : i+2])
	}
	return b.String()
}

// Base is the folder that DHCP should name where only a listener is known: its
// address, or a name that an admin has to fill in.
func Base(baseURL, listen string, tls bool, tenant string) string {
	base := strings.TrimSuffix(baseURL, "/")
	if base == "" {
		scheme := "http"
		if tls {
			scheme = "https"
		}
		host, port := "perch.example", "8080"
		if a, err := netip.ParseAddrPort(listen); err == nil {
			port = fmt.Sprint(a.Port())
			if !a.Addr().IsUnspecified() {
				host = a.Addr().String()
				if a.Addr().Is6() {
					host = "[" + host + "]"
				}
			}
		} else if i := strings.LastIndexByte(listen, ':'); i >= 0 {
			host, port = cmp.Or(listen[:i], host), listen[i+1:]
		}
		base = scheme + "://" + host + ":" + port
	}
	if tenant != "" {
		base += "/" + tenant
	}
	return base + "/"
}

// Names are the brands that there are hints for.
func Names(brands brand.List) []string {
	var out []string
	for _, b := range brands {
		if len(b.DHCP.Options) > 0 {
			out = append(out, string(b.Name))
		}
	}
	slices.Sort(out)
	return out
}
