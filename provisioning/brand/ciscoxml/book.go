package ciscoxml

import "perch/provisioning/brand"

// bookPart is how many entries Cisco's phones take at once.
const bookPart = 32

// Book is the phone book of Cisco's XML services: a directory in parts, the next
// behind a key.
func Book() brand.Book {
	return brand.Book{Per: bookPart, ContentType: brand.XMLBook, Write: brand.DirectoryXML("CiscoIPPhoneDirectory", keys)}
}

func keys(p brand.BookPage) string {
	if p.Next == "" {
		return ""
	}
	key := func(name, url, position string) string {
		return "<SoftKeyItem><Name>" + name + "</Name><URL>" + brand.XML.Escape(url) + "</URL><Position>" + position + "</Position></SoftKeyItem>\n"
	}
	return key("Dial", "SoftKey:Dial", "1") + key("Next", p.Next, "2") + key("Exit", "SoftKey:Exit", "3")
}
