package brand

import "perch/hotdesk/directory"

// FileKind is what a brand means by a file name.
type FileKind int

// The kinds of file.
const (
	Unknown FileKind = iota // not a name of this brand, or one that is never there
	Device                  // carries the account of one phone
	Boot                    // tells one phone which files to fetch; carries no secret
	Common                  // shared by a model or by all; Perch serves none
	Upload                  // what the phone writes: logs, local settings
)

// File is a name that a phone asks for.
type File struct {
	Kind FileKind
	Name string        // base name in lower case
	MAC  directory.MAC // of kinds Device, Boot and Upload
}

// Rendered is a file as it goes to a phone.
type Rendered struct {
	Body        []byte
	ContentType string
	// Account tells that the file carries the desk's account: serving it is the
	// step "fetched" of a reload.
	Account bool
	// Keys are the targets of the BLF keys that this model shows for certain,
	// as user parts: each will subscribe. In order, without repeats.
	Keys []string
	// Optional are the targets on keys that this phone may not have: expansion
	// modules nobody has reported, keys of a model not known.
	Optional []string
	// Dropped are keys that found no place or that this brand cannot show.
	Dropped []directory.Key
	// Absent are keys in the file that nobody sees: they stand on an expansion
	// module that the phone says it does not have.
	Absent []directory.Key
}
