// Package brand holds the types by which one phone brand is described: how its
// requests are recognised, which files it asks for, how a desk is written in its
// format, and which NOTIFY makes it take the result. It knows no HTTP, no SIP
// stack, no store and no brand: everything of one brand stands in its own folder
// below. It promises that the same Desk gives the same bytes, and that no value
// of a Desk can break out of its place in a file.
package brand

import (
	"io/fs"
	"strings"

	"perch/hotdesk/directory"
)

// Brand is all there is to know of one brand. A brand without templates has no
// Render; its files are 404 and its reload steps are skipped.
type Brand struct {
	Name Name
	// Recognise tells whether a phone of this brand sent the request, and which.
	Recognise func(Request) (Phone, bool)
	// File says what a base name means to this brand. Case does not count.
	File func(name string) File
	// Render writes the file of kind Device or Boot that File named. The error
	// is the fault of a template, never of a value.
	Render func(Desk, File) (Rendered, error)
	// Templates is the folder with the files that admins may override, as it is
	// embedded: templates/<file>.tmpl.
	Templates fs.FS
	// Screen writes a page for the phone's own screen, as the model shows it. Nil:
	// these phones show no pages of a server.
	Screen func(p Page, model string) Drawn
	// ScreenItems is how many lines a menu can have; 0: DefaultItems.
	ScreenItems int
	// Message writes a short text for the phone's screen as one NOTIFY, which the
	// phone takes where its configuration has Desk.Push set. Nil: this brand shows
	// no text that was not asked for.
	Message func(text string) Attempt
	// Recipe is how such a phone is made to take its configuration.
	Recipe Recipe
	// SteadyProofs: the phone restarts when the address or password of its files
	// changes, so these do not change with each login.
	SteadyProofs bool
	// Book is how such phones take a phone book.
	Book Book
	// DHCP is how they find their server before they know it.
	DHCP DHCP
	// Firmware are patterns, as of path.Match and in lower case, of the firmware
	// files that such phones ask for.
	Firmware []string
}

// DefaultItems is what every phone's menu can hold, as far as makers say.
const DefaultItems = 10

// MenuItems is how many lines a menu can have.
func (b Brand) MenuItems() int {
	if b.ScreenItems > 0 {
		return min(b.ScreenItems, maxItems)
	}
	return DefaultItems
}

// HasTemplates tells whether Perch can write this brand's configuration.
func (b Brand) HasTemplates() bool { return b.Render != nil }

// List is the brands of a server, in the order in which they are asked to
// recognise a request.
type List []Brand

// Find gives the brand of a name as the directory has it (aliases included).
// A name Perch knows but has no templates for gives that name alone.
func (l List) Find(name string) (Brand, bool) {
	n, ok := ParseName(name)
	if !ok {
		return Brand{}, false
	}
	for _, b := range l {
		if b.Name == n {
			return b, true
		}
	}
	return Brand{Name: n}, true
}

// Identify tells what phone sends such a request: the first brand that knows
// it, else a Phone of unknown brand when there is a MAC. The MAC is taken from
// the file name before the User-Agent, and from that before a header.
func (l List) Identify(r Request) (Phone, bool) {
	r = r.bounded()
	p, known := l.recognise(r)
	for _, from := range []func() (directory.MAC, bool){r.MAC, r.headerMAC} {
		if p.MAC.IsZero() {
			p.MAC, _ = from()
		}
	}
	return p, known || !p.MAC.IsZero()
}

func (l List) recognise(r Request) (Phone, bool) {
	for _, b := range l {
		if b.Recognise == nil {
			continue
		}
		if p, ok := b.Recognise(r); ok {
			return p, true
		}
	}
	return Phone{}, false
}

// Phone is what a request tells of the phone that sent it; what it does not
// tell is empty.
type Phone struct {
	Brand    Name
	Model    string // as the brand prints it, upper case: "T46U", "D785"
	Firmware string
	MAC      directory.MAC
	Modules  Modules // attached expansion modules
}

// Modules is a number of attached expansion modules; the zero value means that
// the request did not say.
type Modules struct {
	Known bool
	Count int
}

// Request is what recognisers may look at. Every field comes from a stranger.
type Request struct {
	Path         string // path of the HTTP request, query allowed: "/acme/001565aabb01.cfg"
	UserAgent    string // of the HTTP request
	SIPUserAgent string // of a REGISTER
	Header       map[string][]string
}

// maxText bounds what a recogniser reads of one text, in bytes. The longest
// genuine User-Agent seen has about 120.
const maxText = 512

// bounded cuts texts that are too long to be a phone's.
func (r Request) bounded() Request {
	r.Path, r.UserAgent, r.SIPUserAgent = cut(r.Path), cut(r.UserAgent), cut(r.SIPUserAgent)
	return r
}

func cut(s string) string {
	if len(s) > maxText {
		return s[:maxText]
	}
	return s
}

// macHeaders are headers in which phones send their MAC when told to: Yealink
// and Fanvil, Snom, Mitel.
func macHeaders() []string { return []string{"Mac", "X-Serialnumber", "Aastra-Mac"} }

// headerMAC is the address that a header carries.
func (r Request) headerMAC() (directory.MAC, bool) {
	for _, want := range macHeaders() {
		for name, values := range r.Header {
			if !strings.EqualFold(name, want) || len(values) == 0 {
				continue
			}
			if m, err := directory.ParseMAC(strings.TrimSpace(values[0])); err == nil {
				return m, true
			}
		}
	}
	return directory.MAC{}, false
}

// Base is the base name of the path without its query, in lower case. Folders
// are the installation's business, not the phone's.
func (r Request) Base() string { return Base(r.Path) }

// Base is the base name of a path without its query, in lower case.
func Base(path string) string {
	path, _, _ = strings.Cut(path, "?")
	if i := strings.LastIndexAny(path, `/\`); i >= 0 {
		path = path[i+1:]
	}
	return strings.ToLower(path)
}

// MAC is the address that the path names: in the file name, else in a query
// `mac=`, which Snom's setting_server writes as `?mac={mac}`.
func (r Request) MAC() (directory.MAC, bool) {
	if m, ok := MACOf(r.Base()); ok {
		return m, true
	}
	_, query, _ := strings.Cut(r.Path, "?")
	for pair := range strings.SplitSeq(query, "&") {
		if name, value, _ := strings.Cut(pair, "="); strings.EqualFold(name, "mac") {
			m, err := directory.ParseMAC(value)
			return m, err == nil
		}
	}
	return directory.MAC{}, false
}
