// Package namewarden implements a plugin that asks Namewarden's verdict service about each name: what it denies is
// answered here, everything else goes to the next plugin, and where its answer leads is judged, too.
package namewarden

import (
	"context"
	"errors"
	"net"
	"net/netip"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/metadata"
	"github.com/coredns/coredns/plugin/metrics"
	"github.com/coredns/coredns/plugin/pkg/upstream"
	"github.com/coredns/coredns/request"

	"github.com/miekg/dns"
	ot "github.com/opentracing/opentracing-go"
)

const pluginName = "namewarden"

// Namewarden is the plugin in one server. All servers of one block share its warden.
type Namewarden struct {
	Next plugin.Handler

	*warden
}

// query is one query on its way through the plugin.
type query struct {
	capture // of what the next plugins answer

	ctx    context.Context
	w      dns.ResponseWriter
	r      *dns.Msg
	asked  *asked // as the client asked it; name and qtype are as rewrite left them
	name   string
	qtype  uint16
	client string
	server string
	said   *verdict // of the name, and then of its answer where that says more

	isAnswerJudged bool
	hasMetadata    bool // somebody reads it
	isInner        bool // asked by another plugin on the way of a query, which has its own event
}

// outcome is what became of a query.
type outcome struct {
	status   string
	rcode    int
	isSilent bool
	upstream string
	leads    leads
}

type (
	followKey struct{} // the target of local data is asked for
	passedKey struct{} // the query went on to the next plugins
)

// ServeDNS implements the plugin.Handler interface. Its frame is small, for those of the next plugins lie upon it: a
// goroutine's stack that has to grow costs more than all that is done here. So they are called as plugin.NextOrFailure
// would, but without its frame where nobody traces.
func (n *Namewarden) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	if !isJudged(r) || ctx.Value(followKey{}) != nil {
		return plugin.NextOrFailure(pluginName, n.Next, ctx, w, r)
	}
	q := newQuery(ctx, w, r)
	if err, isAnswered := n.begin(q); isAnswered {
		return dns.RcodeSuccess, err
	}
	if !q.isTransfer() {
		w = q
	}
	if n.Next == nil || ot.SpanFromContext(ctx) != nil {
		rcode, err := plugin.NextOrFailure(pluginName, n.Next, q.ctx, w, r)
		return n.end(q, rcode, err)
	}
	q.plugin = n.Next.Name()
	rcode, err := n.Next.ServeDNS(q.ctx, w, r)
	return n.end(q, rcode, err)
}

// Name implements the plugin.Handler interface.
func (n *Namewarden) Name() string { return pluginName }

// isJudged says whether the message is a question for a name of the Internet.
func isJudged(r *dns.Msg) bool {
	return r.Opcode == dns.OpcodeQuery && len(r.Question) == 1 && r.Question[0].Qclass == dns.ClassINET
}

func newQuery(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) *query {
	return &query{
		capture: newCapture(w), ctx: ctx, w: w, r: r, asked: askedOf(ctx, r),
		name: plainName(r.Question[0].Name), qtype: r.Question[0].Qtype,
		client: clientOf(w.RemoteAddr()), server: metrics.WithServer(ctx),
		hasMetadata: metadata.ValueFuncs(ctx) != nil, isInner: ctx.Value(passedKey{}) != nil,
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

// isTransfer says that there will be many messages, and that nobody is led anywhere by them.
func (q *query) isTransfer() bool { return q.qtype == dns.TypeAXFR || q.qtype == dns.TypeIXFR }

// begin judges the name, and answers where that is not for the next plugins to do.
func (n *Namewarden) begin(q *query) (err error, isAnswered bool) {
	n.start()
	said, err := n.asker.ask(q, nil)
	if err != nil {
		n.countFailure(q, err)
		if n.isClosed {
			return n.fail(q), true
		}
		q.said = &verdict{Action: actionAllow, Reason: reasonLate}
	} else {
		q.said = said
		said.count(q.server, "name")
		if n.isDenied(q, said) {
			return n.deny(q, said, leads{}), true
		}
		q.isAnswerJudged = !said.coversAnswer()
	}
	if n.reporter != nil {
		q.ctx = context.WithValue(q.ctx, passedKey{}, true)
		if !q.hasMetadata {
			q.ctx = metadata.ContextWithMetadata(q.ctx) // forward tells there whom it asked
		}
	}
	return nil, false
}

// end judges what the next plugins answered, and lets the client have it.
func (n *Namewarden) end(q *query, rcode int, err error) (int, error) {
	if q.isTransfer() {
		n.record(q, &outcome{status: statusLocal, rcode: rcode})
		return rcode, err
	}
	if q.Msg == nil {
		n.record(q, &outcome{status: statusOf(q, rcode), rcode: rcode, upstream: whoAnswered(q)})
		return rcode, err
	}
	found := leadsOf(q.Msg, q.name)
	if q.isAnswerJudged && !found.isNone() {
		if err, isAnswered := n.judgeAnswer(q, found); isAnswered {
			return dns.RcodeSuccess, err
		}
	}
	result := &outcome{status: statusOf(q, q.Msg.Rcode), rcode: q.Msg.Rcode, upstream: whoAnswered(q), leads: found}
	if wrong := q.w.WriteMsg(q.Msg); err == nil {
		err = wrong
	}
	n.record(q, result)
	return rcode, err
}

// judgeAnswer judges where the answer leads, and answers itself where that is denied. The first part that is spoken
// about decides.
func (n *Namewarden) judgeAnswer(q *query, found leads) (err error, isAnswered bool) {
	for _, part := range found.parts() {
		said, err := n.asker.ask(q, part)
		if err != nil {
			n.countFailure(q, err)
			if n.isClosed {
				return n.fail(q), true
			}
			return nil, false
		}
		if said.Action == actionAllow {
			continue
		}
		said.count(q.server, "answer")
		q.said = said
		if n.isDenied(q, said) {
			return n.deny(q, said, found), true
		}
		return nil, false
	}
	return nil, false
}

// isDenied says whether the verdict is answered here. By TCP a name of mode tcp-only is answered as asked.
func (n *Namewarden) isDenied(q *query, said *verdict) bool {
	if !said.denies() || n.isShadow {
		return false
	}
	return said.Denial.Mode != modeTCPOnly || q.isDatagram()
}

// deny answers in place of the name, or of the answer that led to what found tells.
func (n *Namewarden) deny(q *query, said *verdict, found leads) error {
	m := answerDenied(q.r, said.Denial)
	result := &outcome{status: statusBlocked, leads: leads{names: found.names}, upstream: pluginName}
	if said.Action == actionRedirect {
		result.status = statusRedirected
	}
	if m == nil {
		result.status, result.isSilent = statusDropped, true
		n.record(q, result)
		return nil
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
	return err
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
func (n *Namewarden) fail(q *query) error {
	m := answerPlain(q.r, dns.RcodeServerFailure, ede{edeNotReady, "no verdict"})
	q.said = &verdict{Action: actionBlock, Reason: reasonLate}
	err := q.w.WriteMsg(m)
	n.record(q, &outcome{status: statusFailed, rcode: m.Rcode, upstream: pluginName})
	return err
}

func (n *Namewarden) countFailure(q *query, err error) {
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
func (n *Namewarden) record(q *query, is *outcome) {
	if q.hasMetadata {
		tellMetadata(q.ctx, q.said)
	}
	if n.reporter != nil && !q.isInner {
		n.reporter.add(newSighting(q, is, n.isShadow))
	}
}
