package credential

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"strconv"

	"perch/hotdesk/directory"
)

// tokenLength is 26 base32 characters: 130 bits.
const tokenLength = 26

// DeviceToken is the secret folder name in a device's provisioning URL
// (/t/<token>/). Generations let an admin make the former one worthless.
func (k *Key) DeviceToken(tenant directory.TenantCode, mac directory.MAC, gen int) string {
	m := string(tenant) + "|" + mac.String() + "|" + strconv.Itoa(gen)
	return encode(mac256(k.token, []byte(m)), tokenLength)
}

// SteadyToken is the token that follows the one a device was enrolled with:
// turn counts its rotations within the generation. Turn 0 is DeviceToken.
func (k *Key) SteadyToken(tenant directory.TenantCode, mac directory.MAC, gen, turn int) string {
	if turn <= 0 {
		return k.DeviceToken(tenant, mac, gen)
	}
	m := string(tenant) + "|" + mac.String() + "|" + strconv.Itoa(gen) + "|" + strconv.Itoa(turn)
	return encode(mac256(k.token, []byte(m)), tokenLength)
}

// CheckDeviceToken tells in constant time whether token is the device's of
// that generation and turn. For an unknown device, check against the zero
// DeviceID: it costs the same.
func (k *Key) CheckDeviceToken(token string, tenant directory.TenantCode, mac directory.MAC, gen, turn int) bool {
	want := k.SteadyToken(tenant, mac, gen, turn)
	return subtle.ConstantTimeCompare([]byte(token), []byte(want)) == 1 && !mac.IsZero()
}

// DeviceSecret makes a random HTTP password for a device whose directory entry
// names none.
func DeviceSecret() directory.Secret {
	return directory.Secret(encode(random(16), passwordLength))
}

// NewSessionID makes the id of a new binding: 128 random bits in hex.
func NewSessionID() directory.SessionID {
	return directory.SessionID(hex.EncodeToString(random(16)))
}

// NewToken makes a bearer token for the API: 255 random bits as 51 base32
// characters.
func NewToken() directory.Secret { return directory.Secret(encode(random(32), 51)) }

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) //nolint:errcheck // never fails, by its contract
	return b
}
