package credential

import (
	"strconv"

	"perch/hotdesk/directory"
)

// HTTPSecret is the password a device fetches its configuration with.
func (k *Key) HTTPSecret(d directory.Device) (directory.Secret, error) {
	return k.Open(d.ID.SecretContext("secret"), d.Secret.Value)
}

// RotatedSecret is the HTTP password of a later generation than the one kept
// with the device, for devices whose password Perch made; generation 0 is the
// kept one.
func (k *Key) RotatedSecret(d directory.Device, turn int) (directory.Secret, error) {
	if turn <= 0 {
		return k.HTTPSecret(d)
	}
	m := "secret|" + string(d.ID.Tenant) + "|" + d.ID.MAC.String() + "|" + strconv.Itoa(d.TokenGen) + "|" + strconv.Itoa(turn)
	return directory.Secret(encode(mac256(k.token, []byte(m)), passwordLength)), nil
}

// AccountPassword is the SIP password of an idle device's own account: the
// static one of a phone set up by hand, else the one derived from its epoch.
// aor is the tenant's AOR of the device's MAC.
func (k *Key) AccountPassword(d directory.Device, aor directory.AOR) (directory.Secret, error) {
	if d.SIPSecret.IsZero() {
		return k.DevicePassword(d.ID.Tenant, aor, d.ID.MAC, d.Epoch), nil
	}
	return k.Open(d.ID.SecretContext("sip_secret"), d.SIPSecret.Value)
}

// StaticPassword is an extension's own SIP password, for softphones; ok is
// false when it has none.
func (k *Key) StaticPassword(e directory.Extension) (s directory.Secret, ok bool, err error) {
	if e.SIPPassword.IsZero() {
		return "", false, nil
	}
	s, err = k.Open(e.ID.SecretContext("sip_password"), e.SIPPassword.Value)
	return s, err == nil, err
}

// UpstreamPassword is what Perch authenticates with at the PBX for the
// extension; ok is false when it has no upstream identity or no password.
func (k *Key) UpstreamPassword(e directory.Extension) (s directory.Secret, ok bool, err error) {
	if e.Upstream == nil || e.Upstream.Password.IsZero() {
		return "", false, nil
	}
	s, err = k.Open(e.ID.SecretContext("upstream.password"), e.Upstream.Password.Value)
	return s, err == nil, err
}
