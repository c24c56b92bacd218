// Package directory holds who and what exists - tenants, extensions, devices,
// their policy - with the identifiers all of Perch shares, and the directory
// file that describes them. It knows no storage and no protocol. A value of one
// of its types is valid: each type has one Parse function, used at the border.
package directory
