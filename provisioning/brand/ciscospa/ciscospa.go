// Package ciscospa is all there is to know of Cisco's small business phones
// (SPA300, SPA500) and their Linksys and Sipura forerunners (SPA900), and of the
// first line of an adapter: how they are recognised, the files they ask for, the
// NOTIFY that reloads them, and their configuration as an XML profile. The facts
// are from Cisco's provisioning and administration guides; what no phone has
// confirmed is listed in docs/phones/cisco-spa.md.
package ciscospa

import (
	"embed"
	"fmt"
	"strings"
	"sync"
	"time"

	"perch/provisioning/brand"
	"perch/provisioning/brand/ciscoxml"
	"perch/provisioning/brand/flatprofile"
)

//go:embed templates/*.tmpl
var files embed.FS

const contentType = "text/xml; charset=utf-8"

// Brand describes the SPA family. Its template is compiled at the first
// rendering.
func Brand() brand.Brand {
	r := renderer{
		profile: sync.OnceValues(func() (*brand.Template, error) {
			return brand.ParseTemplate(files, "templates/profile.xml.tmpl", brand.XML)
		}),
		zones: brand.NewZones(),
	}
	return brand.Brand{
		Name: brand.CiscoSPA, Recognise: Recognise, File: File, Render: r.render, Templates: files, Screen: ciscoxml.Draw, Recipe: recipe(),
		Book: ciscoxml.Book(),
		DHCP: brand.DHCP{
			Options: []brand.Option{{Code: 66}, {Code: 160, Note: "uncertain"}, {Code: 159, Note: "uncertain"}}, Address: "{base}$MA.xml",
			Notes: []string{"$MA is the phone's own macro: leave it as it stands", "option 150 takes addresses of TFTP servers: not for this"},
		},
		Firmware: []string{"spa*.bin"},
	}
}

// recipe: a resync fetches when the phone is idle and starts the telephone part
// anew where a setting changed, a reboot waits for the end of a call too. The
// phone asks the sender to authenticate (Auth_Resync-Reboot_1_).
func recipe() brand.Recipe {
	return brand.Recipe{
		Attempts: []brand.Attempt{
			{Event: "resync", Wait: 30 * time.Second},
			{Event: "resync", Wait: 30 * time.Second},
			{Event: "reboot", Reboot: true, Wait: 2 * time.Minute},
		},
		Challenged: true,
	}
}

type renderer struct {
	profile func() (*brand.Template, error)
	zones   *brand.Zones
}

// key is one key as the profile writes it.
type key struct {
	Module, Index  int
	Name, Function string
}

// view is what the template sees.
type view struct {
	brand.Desk
	Keys, ModuleKeys []key
	Units            []int
	Spare            []int // other lines, to be cleared
	Codes            []string
	Text             string // beside the line key
	Transport        string
	Outbound         string
	Rule             string
	DialPlan         string
	Help             string // emergency numbers, with commas
	Zone             flatprofile.Zone
	Presence         string // Server_Type
}

func (r renderer) render(d brand.Desk, f brand.File) (brand.Rendered, error) {
	if f.Kind != brand.Device {
		return brand.Rendered{}, fmt.Errorf("cisco-spa: %s is no file of a phone", f.Name)
	}
	l := layoutOf(d.Model)
	slots, out := brand.Place(d, l, flatprofile.Known)
	v := view{
		Desk: d, Spare: flatprofile.SpareLines(lines), Codes: starCodes, Text: flatprofile.Word(d.Screen()),
		Transport: flatprofile.Transport(d.Server.Transport), Outbound: d.Server.HostPort(), Rule: flatprofile.Rule(d),
		DialPlan: flatprofile.DialPlan(d), Help: strings.Join(d.Emergency(), ","), Zone: flatprofile.ZoneFor(r.zones, d.TimeZone),
		Presence: d.Setting("cisco_spa_server_type", "Asterisk", "RFC3265_4235", "Broadsoft", "Sylantro"),
	}
	for n := 1; n <= l.Modules; n++ {
		v.Units = append(v.Units, n)
	}
	for _, s := range slots {
		k := key{Module: s.Module, Index: s.Index, Name: flatprofile.Name(s), Function: flatprofile.Function(d, s, 0)}
		if s.Module > 0 {
			v.ModuleKeys = append(v.ModuleKeys, k)
		} else {
			v.Keys = append(v.Keys, k)
		}
	}
	tpl, err := r.profile()
	if err != nil {
		return brand.Rendered{}, err
	}
	out.ContentType, out.Account = contentType, true
	out.Body, err = tpl.Execute(v)
	return out, err
}

// starCodes are the codes that the phone keeps for itself. All are emptied: one
// of them could be a tenant's.
var starCodes = []string{
	"Call_Return_Code", "Call_Redial_Code", "Blind_Transfer_Code", "Call_Back_Act_Code", "Call_Back_Deact_Code",
	"Cfwd_All_Act_Code", "Cfwd_All_Deact_Code", "Cfwd_Busy_Act_Code", "Cfwd_Busy_Deact_Code", "Cfwd_No_Ans_Act_Code",
	"Cfwd_No_Ans_Deact_Code", "CW_Act_Code", "CW_Deact_Code", "CW_Per_Call_Act_Code", "CW_Per_Call_Deact_Code",
	"Block_CID_Act_Code", "Block_CID_Deact_Code", "Block_CID_Per_Call_Act_Code", "Block_CID_Per_Call_Deact_Code",
	"Block_ANC_Act_Code", "Block_ANC_Deact_Code", "DND_Act_Code", "DND_Deact_Code", "Secure_All_Call_Act_Code",
	"Secure_No_Call_Act_Code", "Secure_One_Call_Act_Code", "Secure_One_Call_Deact_Code", "Paging_Code", "Call_Park_Code",
	"Call_Pickup_Code", "Call_UnPark_Code", "Group_Call_Pickup_Code", "Media_Loopback_Code", "Referral_Services_Codes",
	"Feature_Dial_Services_Codes", "Service_Annc_Extension_Codes", "Prefer_G711u_Code", "Force_G711u_Code",
	"Prefer_G711a_Code", "Force_G711a_Code", "Prefer_G722_Code", "Force_G722_Code", "Prefer_G726r32_Code",
	"Force_G726r32_Code", "Prefer_G729a_Code", "Force_G729a_Code",
}
