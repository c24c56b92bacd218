package lossy

import (
	"context"
	"fmt"
)

// Publish tells a presence server that the phone's extension is in this state
// (RFC 3903), in place of what it published as etag; it gives the next etag.
func (p *Phone) Publish(ctx context.Context, state, etag string, version int) (string, error) {
	uri := p.aor()
	a := ask{
		method: "PUBLISH", uri: uri, from: "<" + uri + ">;tag=" + token(), to: "<" + uri + ">", callID: token(), cseq: p.next(),
		headers: []string{"Event: dialog", "Expires: 3600"}, kind: "application/dialog-info+xml",
		body: fmt.Sprintf(`<?xml version="1.0"?><dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="%d" state="full" entity="%s">`+
			`<dialog id="d" direction="recipient"><state>%s</state></dialog></dialog-info>`, version, uri, state),
	}
	if etag != "" {
		a.headers = append(a.headers, "SIP-If-Match: "+etag)
	}
	p.tell("published")
	res, _, err := p.request(ctx, a, p.next, nil)
	if err == nil && res.code() != 200 {
		err = fmt.Errorf("lossy: PUBLISH: %s", res.line)
	}
	return res.get("sip-etag"), err
}
