package namewarden

import (
	"net/netip"
	"strings"
	"time"

	"github.com/coredns/coredns/plugin/metadata"
	"github.com/coredns/coredns/request"

	"github.com/miekg/dns"
)

// The words of an event that say how the answer came about (docs/events.md).
const (
	statusForwarded    = "FORWARDED"
	statusCache        = "CACHE"
	statusLocal        = "LOCAL"
	statusBlocked      = "BLOCKED"
	statusBlockedCNAME = "BLOCKED_CNAME"
	statusRedirected   = "REDIRECTED"
	statusRefused      = "REFUSED"
	statusDropped      = "DROPPED"
	statusFailed       = "FAILED"
)

const (
	eventSource   = "coredns"
	addressesMost = 16 // of one event
)

// fact is what many events share; the order is that of events/batch.py.
type fact struct {
	source, group, qtype, transport, status, action, reason string
	band, family, model, shadow, upstream, rcode            string
}

func (f *fact) words() []string {
	return []string{
		f.source, f.group, f.qtype, f.transport, f.status, f.action, f.reason,
		f.band, f.family, f.model, f.shadow, f.upstream, f.rcode,
	}
}

// sighting is one query as it is laid down: what is text in the event is made later, by the reporter.
type sighting struct {
	said      *verdict
	isShadow  bool
	outcome   *outcome
	asked     *asked
	client    string
	transport string
	duration  time.Duration
}

func newSighting(q *query, is *outcome, isShadow bool) *sighting {
	return &sighting{q.said, isShadow, is, q.asked, q.client, transportOf(q), time.Since(q.asked.at)}
}

// event is one query.
type event struct {
	fact      fact
	client    string
	name      string
	rule      string
	cnames    string // separated by blanks
	addresses string
	score     *float64
	time      time.Time
	duration  time.Duration
}

func (s *sighting) event() *event {
	said, is := s.said, s.outcome
	e := &event{
		fact: fact{
			source: eventSource, group: said.Group, qtype: typeName(s.asked.qtype), transport: s.transport,
			status: is.status, action: said.Action, reason: said.Reason, band: said.Band, family: said.Family,
			model: said.Model, shadow: said.Shadow, upstream: is.upstream,
		},
		client: s.client, name: s.asked.name, rule: said.Rule, score: said.Score,
		cnames:    strings.Join(is.leads.names[:min(len(is.leads.names), addressesMost)], " "),
		addresses: textOf(is.leads.addresses[:min(len(is.leads.addresses), addressesMost)]),
		time:      s.asked.at, duration: s.duration,
	}
	if !is.isSilent {
		e.fact.rcode = rcodeName(is.rcode)
	}
	if s.isShadow && said.denies() {
		e.fact.action, e.fact.shadow = actionFlag, said.Action
	}
	return e
}

func textOf(addresses []netip.Addr) string {
	if len(addresses) == 1 {
		return addresses[0].String()
	}
	var text []byte
	for i, address := range addresses {
		if i > 0 {
			text = append(text, ' ')
		}
		text = address.AppendTo(text)
	}
	return string(text)
}

func typeName(qtype uint16) string { return dns.Type(qtype).String() }

func rcodeName(rcode int) string {
	if name, ok := dns.RcodeToString[rcode]; ok {
		return name
	}
	return "RCODE" + dns.Type(rcode).String()[len("TYPE"):]
}

// transportOf is udp or tcp, or what the server speaks above it.
func transportOf(q *query) string {
	scheme, _, found := strings.Cut(q.server, "://")
	if found && scheme != "dns" {
		return scheme
	}
	return (&request.Request{W: q.w, Req: q.r}).Proto()
}

// statusOf says how the next plugins came to their answer.
func statusOf(q *query, rcode int) string {
	switch {
	case rcode == dns.RcodeServerFailure:
		return statusFailed
	case rcode == dns.RcodeRefused:
		return statusRefused
	case upstreamOf(q) != "" || q.plugin == "forward" || q.plugin == "grpc":
		return statusForwarded
	case q.plugin == "cache":
		return statusCache
	}
	return statusLocal
}

// whoAnswered is the upstream's address, or the plugin.
func whoAnswered(q *query) string {
	if address := upstreamOf(q); address != "" {
		return address
	}
	return q.plugin
}

func upstreamOf(q *query) string {
	if told := metadata.ValueFunc(q.ctx, "forward/upstream"); told != nil {
		return told()
	}
	return ""
}
