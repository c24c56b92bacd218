package brand

// DHCP is how a phone that knows no server finds one by its network.
type DHCP struct {
	Class   string   // how option 60 of its request begins; empty: not known
	Options []Option // in the order in which it looks at them
	// Address is what the options carry: {base} is the folder of the files, and
	// the rest stands as it is, the phone's own macros among it.
	Address string
	Notes   []string // what a person should know
}

// Option is a DHCP option (RFC 2132) that a phone looks at.
type Option struct {
	Code int
	Sub  int    // suboption of 43 (RFC 2132 section 8.4); 0: the option's whole text
	Note string // what is not certain of it
}
