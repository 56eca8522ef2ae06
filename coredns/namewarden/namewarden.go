// Package namewarden implements a plugin that asks Namewarden's verdict service about each name: what it denies is
// answered here, everything else goes to the next plugin, and where its answer leads is judged, too.
package namewarden

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/metadata"
	"github.com/coredns/coredns/plugin/metrics"
	"github.com/coredns/coredns/plugin/pkg/upstream"
	"github.com/coredns/coredns/request"

	"github.com/miekg/dns"
)

const pluginName = "namewarden"

// Namewarden is the plugin in one server. All servers of one block share its warden.
type Namewarden struct {
	Next plugin.Handler

	*warden
}

// query is one query on its way through the plugin.
type query struct {
	ctx    context.Context
	w      dns.ResponseWriter
	r      *dns.Msg
	asked  *asked // as the client asked it; name and qtype are as rewrite left them
	name   string
	qtype  uint16
	client string
	server string
}

// outcome is what became of a query.
type outcome struct {
	said     *verdict
	status   string
	rcode    int
	isSilent bool
	upstream string
	leads    leads
}

type followKey struct{}

// ServeDNS implements the plugin.Handler interface.
func (n Namewarden) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	if !isJudged(r) || ctx.Value(followKey{}) != nil {
		return plugin.NextOrFailure(pluginName, n.Next, ctx, w, r)
	}
	n.start()
	q := newQuery(ctx, w, r)
	said, err := n.judgeName(q)
	if err != nil {
		n.countFailure(q, err)
		if n.isClosed {
			return n.fail(q)
		}
		return n.pass(q, &verdict{Action: actionAllow, Reason: reasonLate}, false)
	}
	verdictsTotal.WithLabelValues(q.server, "name", said.Action, said.reasonLabel()).Inc()
	if n.isDenied(q, said) {
		return n.deny(q, said, leads{})
	}
	return n.pass(q, said, !said.coversAnswer())
}

// Name implements the plugin.Handler interface.
func (n Namewarden) Name() string { return pluginName }

// isJudged says whether the message is a question for a name of the Internet.
func isJudged(r *dns.Msg) bool {
	return r.Opcode == dns.OpcodeQuery && len(r.Question) == 1 && r.Question[0].Qclass == dns.ClassINET
}

func newQuery(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) *query {
	return &query{
		ctx: ctx, w: w, r: r, asked: askedOf(ctx, r),
		name: plainName(r.Question[0].Name), qtype: r.Question[0].Qtype,
		client: clientOf(w.RemoteAddr()), server: metrics.WithServer(ctx),
	}
}

// clientOf is the address's text; an IPv4 address in IPv6 clothes is IPv4.
func clientOf(remote net.Addr) string {
	var address netip.Addr
	switch remote := remote.(type) {
	case *net.UDPAddr:
		address = remote.AddrPort().Addr()
	case *net.TCPAddr:
		address = remote.AddrPort().Addr()
	default:
		parsed, err := netip.ParseAddrPort(remote.String())
		if err != nil {
			return "::" // nobody's: no group is told by it
		}
		address = parsed.Addr()
	}
	return address.Unmap().WithZone("").String()
}

func (q *query) isDatagram() bool {
	return (&request.Request{W: q.w, Req: q.r}).Proto() == "udp"
}

// judgeName asks about the name.
func (n Namewarden) judgeName(q *query) (*verdict, error) {
	return n.asker.ask(q.ctx, question{Name: q.name, QType: q.qtype, Client: q.client}, time.Now().Add(n.timeout))
}

// judgeAnswer asks about where the answer leads; the first part that is spoken about decides.
func (n Namewarden) judgeAnswer(q *query, found leads) (*verdict, error) {
	deadline := time.Now().Add(n.timeout)
	var last *verdict
	for _, part := range found.parts() {
		said, err := n.asker.ask(q.ctx, question{q.name, q.qtype, q.client, part}, deadline)
		if err != nil {
			return nil, err
		}
		if last = said; said.Action != actionAllow {
			break
		}
	}
	return last, nil
}

// isDenied says whether the verdict is answered here. By TCP a name of mode tcp-only is answered as asked.
func (n Namewarden) isDenied(q *query, said *verdict) bool {
	if !said.denies() || n.isShadow {
		return false
	}
	return said.Denial.Mode != modeTCPOnly || q.isDatagram()
}

// pass lets the next plugins answer, and judges their answer.
func (n Namewarden) pass(q *query, said *verdict, isAnswerJudged bool) (int, error) {
	if q.qtype == dns.TypeAXFR || q.qtype == dns.TypeIXFR { // many messages, for which nobody is led anywhere
		rcode, err := plugin.NextOrFailure(pluginName, n.Next, q.ctx, q.w, q.r)
		n.record(q, &outcome{said: said, status: statusLocal, rcode: rcode})
		return rcode, err
	}
	if n.reporter != nil && metadata.ValueFuncs(q.ctx) == nil {
		q.ctx = metadata.ContextWithMetadata(q.ctx) // forward tells there whom it asked
	}
	held := newCapture(q.w)
	rcode, err := plugin.NextOrFailure(pluginName, n.Next, q.ctx, held, q.r)
	if held.Msg == nil {
		n.record(q, &outcome{said: said, status: statusOf(q, held, rcode), rcode: rcode, upstream: whoAnswered(q, held)})
		return rcode, err
	}
	found := leadsOf(held.Msg, q.name)
	if isAnswerJudged && !found.isNone() {
		of, failed := n.judgeAnswer(q, found)
		switch {
		case failed != nil:
			n.countFailure(q, failed)
			if n.isClosed {
				return n.fail(q)
			}
		case n.isDenied(q, of):
			verdictsTotal.WithLabelValues(q.server, "answer", of.Action, of.reasonLabel()).Inc()
			return n.deny(q, of, found)
		case of.Action != actionAllow:
			verdictsTotal.WithLabelValues(q.server, "answer", of.Action, of.reasonLabel()).Inc()
			said = of
		}
	}
	result := &outcome{said: said, status: statusOf(q, held, held.Msg.Rcode), rcode: held.Msg.Rcode, upstream: whoAnswered(q, held), leads: found}
	if wrong := q.w.WriteMsg(held.Msg); err == nil {
		err = wrong
	}
	n.record(q, result)
	return rcode, err
}

// deny answers in place of the name, or of the answer that led to what found tells.
func (n Namewarden) deny(q *query, said *verdict, found leads) (int, error) {
	m := answerDenied(q.r, said.Denial)
	result := &outcome{said: said, status: statusBlocked, leads: leads{names: found.names}, upstream: pluginName}
	if said.Action == actionRedirect {
		result.status = statusRedirected
	}
	if m == nil {
		result.status, result.isSilent = statusDropped, true
		n.record(q, result)
		return dns.RcodeSuccess, nil
	}
	if target := said.Denial.alias(q.qtype); target != "" {
		q.follow(m, target)
	}
	if said.Reason == "cname_deny" {
		result.status = statusBlockedCNAME
	}
	own := leadsOf(m, q.name)
	result.rcode, result.leads.addresses = m.Rcode, own.addresses
	if len(found.names) == 0 {
		result.leads.names = own.names
	}
	err := q.w.WriteMsg(m)
	n.record(q, result)
	return dns.RcodeSuccess, err
}

// follow adds what the target of local data has: it is asked for as an allowed name.
func (q *query) follow(m *dns.Msg, target string) {
	ctx := context.WithValue(q.ctx, followKey{}, true)
	below, err := upstream.New().Lookup(ctx, request.Request{W: q.w, Req: q.r}, target, q.qtype)
	if err != nil {
		return // no server is running; the client may follow the alias itself
	}
	if below == nil {
		m.Rcode = dns.RcodeServerFailure
		return
	}
	m.Rcode = below.Rcode
	m.Answer = append(m.Answer, below.Answer...)
	m.Ns = below.Ns
}

// fail answers SERVFAIL: without a verdict nothing goes on.
func (n Namewarden) fail(q *query) (int, error) {
	m := answerPlain(q.r, dns.RcodeServerFailure, ede{edeNotReady, "no verdict"})
	said := &verdict{Action: actionBlock, Reason: reasonLate}
	err := q.w.WriteMsg(m)
	n.record(q, &outcome{said: said, status: statusFailed, rcode: m.Rcode, upstream: pluginName})
	return dns.RcodeSuccess, err
}

func (n Namewarden) countFailure(q *query, err error) {
	cause := "refused"
	for known, word := range map[error]string{errAway: "away", errLate: "late", errTooMany: "overload", errStopped: "stopping"} {
		if errors.Is(err, known) {
			cause = word
		}
	}
	fail := "open"
	if n.isClosed {
		fail = "closed"
	}
	failuresTotal.WithLabelValues(q.server, cause, fail).Inc()
}

// record lays down what became of the query, and tells metadata.
func (n Namewarden) record(q *query, is *outcome) {
	said := is.said
	metadata.SetValueFunc(q.ctx, labelAction, func() string { return said.Action })
	metadata.SetValueFunc(q.ctx, labelReason, func() string { return said.Reason })
	metadata.SetValueFunc(q.ctx, labelFamily, func() string { return said.Family })
	if n.reporter != nil && !q.asked.inner {
		n.reporter.add(newEvent(q, is, n.isShadow))
	}
}
