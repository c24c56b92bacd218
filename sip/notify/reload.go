package notify

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/emiago/sipgo/sip"

	"perch/hotdesk/directory"
	"perch/hotdesk/reload"
	"perch/sip/flow"
)

// unsentWithin is how soon a flow tells that it is gone: that is decided here,
// without the network. What it has not said by then has left.
const unsentWithin = 20 * time.Millisecond

// Send implements reload.Sender: one NOTIFY outside any dialog, as phones expect
// it for check-sync and its like. There is no subscription behind it, so it says
// that there is none any more; nobody may take it for a beginning.
func (n *Notifier) Send(ctx context.Context, notice reload.Notice) (<-chan int, error) {
	if notice.Contact.Lost != 0 {
		return nil, fmt.Errorf("notify: the flow is lost: %w", reload.ErrNoFlow)
	}
	draft := n.notice(notice)
	if _, err := draft.Build(); err != nil {
		return nil, fmt.Errorf("notify: %w", err)
	}
	// The worker's context ends the wait, and so does Close.
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(n.ctx, cancel)
	answer, unsent := make(chan int, 1), make(chan error, 1) // unsent: nil once there is an answer
	begun := n.begin(func() {
		defer cancel()
		defer stop()
		res, err := n.exchange(ctx, notice.Contact.Flow, draft, &registered{notice: notice, cseq: draft.CSeq})
		switch {
		case err == nil:
			answer <- res.StatusCode
		case res != nil: // the phone challenged and then fell silent
			err = nil
			answer <- 0
		default:
			answer <- 0
		}
		unsent <- err
	})
	if !begun {
		stop()
		cancel()
		return nil, fmt.Errorf("notify: closed: %w", reload.ErrNoFlow)
	}
	timer := time.NewTimer(unsentWithin)
	defer timer.Stop()
	select {
	case err := <-unsent:
		if err == nil || errors.Is(err, flow.ErrTimeout) || errors.Is(err, context.Canceled) {
			return answer, nil
		}
		return nil, fmt.Errorf("%w: %w", reload.ErrNoFlow, err)
	case <-timer.C:
		return answer, nil
	}
}

// notice makes the message. The CSeq is the clock's, as RFC 3261 section 8.1.1.5
// suggests: the NOTIFYs of one reload have one Call-ID, and it grows from one to
// the next without being kept.
func (n *Notifier) notice(notice reload.Notice) flow.Draft {
	c := notice.Contact
	d := flow.Draft{
		Method: string(sip.NOTIFY), URI: c.URI, Routes: c.Path, CallID: notice.CallID,
		From: "<sip:" + ourUser + "@" + notice.Domain + ">;tag=" + rand.Text()[:16],
		To:   "<" + c.AOR.String() + ">", CSeq: uint32(n.Now().Unix() & 0x7fffffff),
		Headers: []flow.Field{
			{Name: "Event", Value: notice.Event}, {Name: "Subscription-State", Value: "terminated"},
		},
		Contact: "<" + n.Flows.Contact(c.Flow, ourUser) + ">",
	}
	if len(notice.Body) > 0 {
		d.ContentType, d.Body = notice.ContentType, notice.Body
	}
	return d
}

// registered answers a challenge to a notice.
type registered struct {
	notice reload.Notice
	cseq   uint32
}

func (r *registered) credentials(context.Context) (string, directory.Secret, error) {
	return r.notice.Username, r.notice.Password, nil
}

func (r *registered) next(context.Context) (uint32, error) {
	r.cseq++
	return r.cseq, nil
}
