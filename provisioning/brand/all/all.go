// Package all is the list of the brands Perch has, in the order in which they
// are asked to recognise a request. A new brand is its folder and one line here.
// Only what wires a server or the identify command together imports it.
package all

import (
	"perch/provisioning/brand"
	"perch/provisioning/brand/ciscompp"
	"perch/provisioning/brand/ciscospa"
	"perch/provisioning/brand/fanvil"
	"perch/provisioning/brand/foreign"
	"perch/provisioning/brand/grandstream"
	"perch/provisioning/brand/htek"
	"perch/provisioning/brand/mitel"
	"perch/provisioning/brand/poly"
	"perch/provisioning/brand/sangomap"
	"perch/provisioning/brand/sangomas"
	"perch/provisioning/brand/snom"
	"perch/provisioning/brand/yealink"
)

// Brands lists every brand. Templates are compiled when first used.
func Brands() brand.List {
	return append(brand.List{
		yealink.Brand(),
		snom.Brand(),
		grandstream.Brand(),
		poly.Brand(),
		mitel.Brand(),
		fanvil.Brand(),
		ciscospa.Brand(),
		ciscompp.Brand(),
		htek.Brand(),
		sangomas.Brand(),
		sangomap.Brand(),
		sangomap.Digium(),
	}, foreign.Brands()...)
}

// Identify tells what phone sends such a request.
func Identify(r brand.Request) (brand.Phone, bool) { return Brands().Identify(r) }
