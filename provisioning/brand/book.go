package brand

import (
	"regexp"
	"strconv"
	"strings"
)

// Entry is one line of a phone book.
type Entry struct{ Name, Number string }

// BookPage is a phone book, or a part of one for phones that take only so many
// entries at once.
type BookPage struct {
	Title   string
	Entries []Entry
	Next    string // URL of the next part; empty: this is the last
}

// Book is how a brand's phones take a phone book from a server. The zero Book
// belongs to a brand that takes none.
type Book struct {
	// Name tells a file name, in lower case, of the book; nil: PhoneBook.
	Name        func(base string) bool
	Per         int // entries of a part; 0: all in one
	ContentType string
	Write       func(BookPage) []byte
}

// phoneBook is the name of a book in an address that the server chooses:
// <mac>-phonebook.xml, and <mac>-phonebook-2.xml for what follows.
var phoneBook = regexp.MustCompile(`^[0-9a-f]{12}-phonebook(?:-([1-9][0-9]{0,3}))?\.(?:xml|csv)$`)

// Part tells which part of the book a file name is; false: none.
func (k Book) Part(name string) (int, bool) {
	name = Base(name)
	if k.Write == nil {
		return 0, false
	}
	if k.Name != nil && k.Name(name) {
		return 1, true
	}
	m := phoneBook.FindStringSubmatch(name)
	if m == nil {
		return 0, false
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return 1, true
	}
	return n, true
}

// PartName is the name of a part in an address that the server chooses.
func (k Book) PartName(mac string, part int) string {
	if part <= 1 {
		return mac + "-phonebook.xml"
	}
	return mac + "-phonebook-" + strconv.Itoa(part) + ".xml"
}

// maxBookText bounds a name in a book, in characters.
const maxBookText = 60

// DirectoryXML makes the writer of the form that several makers share: a root of
// their own with a title and an element DirectoryEntry for each, which holds Name
// and Telephone. Keys are what goes between the title and the entries.
func DirectoryXML(root string, keys func(BookPage) string) func(BookPage) []byte {
	return func(p BookPage) []byte {
		var b strings.Builder
		b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n<" + root + ">\n")
		b.WriteString("<Title>" + XML.Escape(ClipTo(p.Title, maxBookText)) + "</Title>\n")
		if keys != nil {
			b.WriteString(keys(p))
		}
		for _, e := range p.Entries {
			b.WriteString("<DirectoryEntry><Name>" + XML.Escape(ClipTo(e.Name, maxBookText)) + "</Name><Telephone>" + XML.Escape(e.Number) + "</Telephone></DirectoryEntry>\n")
		}
		b.WriteString("</" + root + ">\n")
		return []byte(b.String())
	}
}

// XMLBook is the ContentType of most.
const XMLBook = "text/xml; charset=utf-8"
