package credential

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"strconv"

	"perch/hotdesk/directory"
)

// passwordLength is 20 base32 characters: 100 bits, short enough for every
// brand's password field.
const passwordLength = 20

// base32 in lower case: no character that a configuration format, a URL or a
// phone's keypad treats specially.
const alphabet = "abcdefghijklmnopqrstuvwxyz234567"

// lower32 is never changed.
var lower32 = base32.NewEncoding(alphabet).WithPadding(base32.NoPadding)

func encode(b []byte, length int) string { return lower32.EncodeToString(b)[:length] }

// SIPPassword is the SIP password of one session at one device: the first 20
// characters of base32(HMAC-SHA256(server key, tenant|aor|mac|session)). It is
// derived whenever it is needed, stored nowhere, and dies with the session.
func (k *Key) SIPPassword(tenant directory.TenantCode, aor directory.AOR, mac directory.MAC, session directory.SessionID) directory.Secret {
	return k.sipPassword(tenant, aor, mac, string(session))
}

// DevicePassword is the SIP password of an idle device's own account. It holds
// until an admin renews the epoch.
func (k *Key) DevicePassword(tenant directory.TenantCode, aor directory.AOR, mac directory.MAC, epoch int) directory.Secret {
	return k.sipPassword(tenant, aor, mac, "device/"+strconv.Itoa(epoch))
}

// sipPassword joins the fields with a bar, which none of them can contain, so
// that two different lists never hash alike. A session id is hex and cannot be
// taken for "device/<epoch>".
func (k *Key) sipPassword(tenant directory.TenantCode, aor directory.AOR, mac directory.MAC, last string) directory.Secret {
	m := make([]byte, 0, 192)
	m = append(m, tenant...)
	m = append(m, "|sip:"...)
	m = append(m, aor.User...)
	m = append(m, '@')
	m = append(m, aor.Domain...)
	m = append(m, '|')
	m = append(m, mac.String()...)
	m = append(m, '|')
	m = append(m, last...)
	return directory.Secret(encode(mac256(k.root[:], m), passwordLength))
}

func mac256(key, message []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(message)
	return h.Sum(make([]byte, 0, sha256.Size))
}
