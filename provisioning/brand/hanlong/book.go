package hanlong

import "perch/provisioning/brand"

// Book is the phone book in the form that these phones share with others; its
// root has no maker's name, as all their objects.
func Book() brand.Book {
	return brand.Book{ContentType: brand.XMLBook, Write: brand.DirectoryXML("IPPhoneDirectory", nil)}
}
