package credential

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"encoding/hex"
	"strings"

	"perch/hotdesk/directory"
)

// Hash gives the kept form of a secret that only ever needs checking:
// "hmac:" and 64 hex digits. The key protects it: no slow hash could protect
// the four digits of a PIN. context says whose secret it is and which, so that
// equal PINs of two people look different.
func (k *Key) Hash(context string, s directory.Secret) string {
	return directory.HashedForm + hex.EncodeToString(keyed(k.hash, context, s))
}

// check compares in constant time; with nothing (or nothing of this form) to
// compare against it does the same work and answers no.
func (k *Key) check(kept directory.Kept, context string, s directory.Secret) bool {
	var want [sha256.Size]byte
	digits, is := strings.CutPrefix(kept.Value, directory.HashedForm)
	n, err := 0, error(nil)
	if is && len(digits) == 2*sha256.Size {
		n, err = hex.Decode(want[:], []byte(digits))
	}
	same := subtle.ConstantTimeCompare(want[:], keyed(k.hash, context, s)) == 1
	return same && err == nil && n == sha256.Size
}

// PIN is the kept form of an extension's PIN, own or voicemail.
func (k *Key) PIN(id directory.ExtensionID, pin directory.Secret) string {
	return k.Hash(id.SecretContext("pin"), pin)
}

// CheckPIN tells whether pin is the one kept for the extension. For an unknown
// extension or one without PIN, check against the zero Kept: it costs the same
// and is false.
func (k *Key) CheckPIN(kept directory.Kept, id directory.ExtensionID, pin directory.Secret) bool {
	return k.check(kept, id.SecretContext("pin"), pin)
}

// TenantPIN is the kept form of a tenant's default PIN.
func (k *Key) TenantPIN(tenant directory.TenantCode, pin directory.Secret) string {
	return k.Hash(tenant.SecretContext("default_pin"), pin)
}

// CheckTenantPIN is CheckPIN for the tenant's default PIN.
func (k *Key) CheckTenantPIN(kept directory.Kept, tenant directory.TenantCode, pin directory.Secret) bool {
	return k.check(kept, tenant.SecretContext("default_pin"), pin)
}

// SupervisorPIN is the kept form of the PIN of a tenant's named supervisor.
func (k *Key) SupervisorPIN(tenant directory.TenantCode, name string, pin directory.Secret) string {
	return k.Hash(tenant.SecretContext("supervisor/"+name), pin)
}

// CheckSupervisorPIN is CheckPIN for a supervisor.
func (k *Key) CheckSupervisorPIN(kept directory.Kept, tenant directory.TenantCode, name string, pin directory.Secret) bool {
	return k.check(kept, tenant.SecretContext("supervisor/"+name), pin)
}

// Origin is the fingerprint of a value as a directory file had it: equal
// values in the same place have equal origins, and without the key it tells
// nothing of the value.
func (k *Key) Origin(context string, s directory.Secret) string {
	return hex.EncodeToString(keyed(k.origin, context, s)[:16])
}

// keyed hashes context and secret, the context with its length before it, so
// that no other pair gives the same message.
func keyed(key []byte, context string, s directory.Secret) []byte {
	m := make([]byte, 0, 128)
	m = binary.BigEndian.AppendUint32(m, uint32(len(context)))
	m = append(m, context...)
	m = append(m, s...)
	return mac256(key, m)
}
