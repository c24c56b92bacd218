package brand

import (
	"slices"
	"strings"
)

// Name is a brand as the directory, metrics and logs write it.
type Name string

// The brands Perch knows by name. Those with templates are in package all.
const (
	Yealink     Name = "yealink"
	Snom        Name = "snom"
	Grandstream Name = "grandstream"
	Poly        Name = "poly"
	CiscoSPA    Name = "cisco-spa" // Linksys and Sipura too
	CiscoMPP    Name = "cisco-mpp" // 3PCC
	CiscoSEP    Name = "cisco-sep" // enterprise SIP
	Mitel       Name = "mitel"     // Aastra too
	SangomaS    Name = "sangoma-s"
	SangomaP    Name = "sangoma-p"
	Digium      Name = "digium"
	Fanvil      Name = "fanvil"
	Htek        Name = "htek"
	Gigaset     Name = "gigaset"
	Panasonic   Name = "panasonic"
	AudioCodes  Name = "audiocodes"
	Obihai      Name = "obihai"
	Algo        Name = "algo"
	Akuvox      Name = "akuvox"
	Alcatel     Name = "alcatel"
	Avaya       Name = "avaya"
	Bittel      Name = "bittel"
	Escene      Name = "escene"
	Flyingvoice Name = "flyingvoice"
	Konftel     Name = "konftel"
	Nethesis    Name = "nethesis"
	Patton      Name = "patton"
	Zenitel     Name = "zenitel"
	Technicolor Name = "technicolor"
)

// Names lists every known brand, in alphabetical order.
func Names() []Name {
	names := []Name{
		Yealink, Snom, Grandstream, Poly, CiscoSPA, CiscoMPP, CiscoSEP, Mitel, SangomaS, SangomaP,
		Digium, Fanvil, Htek, Gigaset, Panasonic, AudioCodes, Obihai, Algo, Akuvox, Alcatel, Avaya,
		Bittel, Escene, Flyingvoice, Konftel, Nethesis, Patton, Zenitel, Technicolor,
	}
	slices.Sort(names)
	return names
}

// ParseName reads a brand in any case, by its name or by one that people use
// for it.
func ParseName(s string) (Name, bool) {
	n := Name(strings.ToLower(strings.TrimSpace(s)))
	switch n {
	case "polycom":
		return Poly, true
	case "aastra":
		return Mitel, true
	case "linksys", "sipura", "cisco-small-business", "spa":
		return CiscoSPA, true
	case "cisco-3pcc", "3pcc", "mpp":
		return CiscoMPP, true
	case "cisco", "cisco-enterprise", "sep":
		return CiscoSEP, true
	case "sangoma":
		return SangomaS, true
	case "obi":
		return Obihai, true
	case "ale", "alcatel-lucent":
		return Alcatel, true
	}
	return n, slices.Contains(Names(), n)
}
