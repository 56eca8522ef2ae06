package namewarden

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coredns/coredns/plugin/metadata"
	"github.com/coredns/coredns/plugin/pkg/dnstest"
	"github.com/coredns/coredns/plugin/test"
	"github.com/coredns/coredns/request"

	"github.com/miekg/dns"
)

// ask sends a query through the plugin as a client of 192.0.2.9 would.
func ask(t *testing.T, n *Namewarden, name string, qtype uint16, change ...func(*dns.Msg, *test.ResponseWriter)) *dns.Msg {
	t.Helper()
	m := new(dns.Msg).SetQuestion(name, qtype)
	m.SetEdns0(1232, true)
	from := &test.ResponseWriter{RemoteIP: "192.0.2.9"}
	for _, each := range change {
		each(m, from)
	}
	w := dnstest.NewRecorder(from)
	rcode, err := n.ServeDNS(t.Context(), w, m)
	if err != nil || w.Msg == nil && rcode != dns.RcodeSuccess {
		t.Errorf("%s: rcode %d, error %v", name, rcode, err)
	}
	return w.Msg
}

func byTCP(_ *dns.Msg, w *test.ResponseWriter) { w.TCP = true }

func withoutEDNS(m *dns.Msg, _ *test.ResponseWriter) { m.Extra = nil }

func TestWhatIsNotDeniedGoesOn(t *testing.T) {
	s := newService(t)
	n := &Namewarden{answering("www.example.org. 300 IN A 192.0.2.20"), wardenFor(t, nil, s)}
	for _, action := range []string{actionAllow, actionFlag, actionReview} {
		s.says(func(question) map[string]any { return map[string]any{"action": action} })
		s.change("g" + action)
		err := test.SortAndCheck(ask(t, n, "www.example.org.", dns.TypeA), test.Case{
			Qname: "www.example.org.", Qtype: dns.TypeA, Answer: []dns.RR{test.A("www.example.org. 300 IN A 192.0.2.20")},
		})
		if err != nil {
			t.Errorf("%s: %v", action, err)
		}
	}
}

func TestDeniedNamesAreAnswered(t *testing.T) {
	s := newService(t)
	next := test.HandlerFunc(func(context.Context, dns.ResponseWriter, *dns.Msg) (int, error) {
		t.Error("a denied name was asked on")
		return 0, nil
	})
	n := &Namewarden{next, wardenFor(t, nil, s)}
	ns := test.SOA("bad.test. 10 IN SOA namewarden.invalid. nobody.invalid. 1 3600 600 86400 10")
	for number, each := range []struct {
		answer map[string]any
		test.Case
	}{
		{nil, test.Case{Qname: "www.bad.test.", Qtype: dns.TypeA, Answer: []dns.RR{test.A("www.bad.test. 10 IN A 0.0.0.0")}}},
		{nil, test.Case{Qname: "www.bad.test.", Qtype: dns.TypeMX, Ns: []dns.RR{ns}}},
		{map[string]any{"mode": "nxdomain"}, test.Case{Qname: "www.bad.test.", Qtype: dns.TypeA, Rcode: dns.RcodeNameError, Ns: []dns.RR{ns}}},
		{map[string]any{"mode": "nxdomain"}, test.Case{Qname: "bad.", Qtype: dns.TypeA, Rcode: dns.RcodeNameError, Ns: []dns.RR{
			test.SOA("namewarden.invalid. 10 IN SOA namewarden.invalid. nobody.invalid. 1 3600 600 86400 10")}}},
		{map[string]any{"mode": "nodata"}, test.Case{Qname: "bad.", Qtype: dns.TypeA, Ns: []dns.RR{
			test.SOA("bad. 10 IN SOA namewarden.invalid. nobody.invalid. 1 3600 600 86400 10")}}},
		{map[string]any{"mode": "refused"}, test.Case{Qname: "www.bad.test.", Qtype: dns.TypeA, Rcode: dns.RcodeRefused}},
		{map[string]any{"mode": "tcp-only"}, test.Case{Qname: "www.bad.test.", Qtype: dns.TypeA, Truncated: true}},
		{map[string]any{"mode": "ip", "addresses": []string{"192.0.2.66", "2001:db8::66"}}, test.Case{
			Qname: "www.bad.test.", Qtype: dns.TypeAAAA, Answer: []dns.RR{test.AAAA("www.bad.test. 10 IN AAAA 2001:db8::66")}}},
		{map[string]any{"mode": "data", "records": [][]any{{"A", 60, "192.0.2.7"}, {"TXT", 60, "no"}}}, test.Case{
			Qname: "www.bad.test.", Qtype: dns.TypeA, Answer: []dns.RR{test.A("www.bad.test. 60 IN A 192.0.2.7")}}},
		{map[string]any{"mode": "data", "records": [][]any{{"CNAME", 60, "*.garden.test."}}}, test.Case{
			Qname: "www.bad.test.", Qtype: dns.TypeA, Rcode: dns.RcodeYXDomain}},
	} {
		s.says(func(question) map[string]any { return denied(each.answer) })
		generation := fmt.Sprint(number)
		s.change(generation)
		until(t, func() bool { return *n.endpoints[0].generation.Load() == generation })
		got := ask(t, n, each.Qname, each.Qtype)
		got.Extra = nil
		each.RecursionAvailable = true
		if err := test.SortAndCheck(got, each.Case); err != nil || got.Truncated != each.Truncated {
			t.Errorf("%v: %v in\n%s", each.answer, err, got)
		}
	}
}

func TestNothingIsSentWhereSilenceIsWanted(t *testing.T) {
	s := newService(t)
	s.says(func(question) map[string]any { return denied(map[string]any{"mode": "drop"}) })
	n := &Namewarden{answering(), wardenFor(t, nil, s)}
	if m := ask(t, n, "www.bad.test.", dns.TypeA); m != nil {
		t.Errorf("the client got %s", m)
	}
}

func TestCodesAreForWhoSpeaksEDNS(t *testing.T) {
	s := newService(t)
	s.says(func(question) map[string]any { return denied(nil) })
	n := &Namewarden{answering(), wardenFor(t, nil, s)}
	if m := ask(t, n, "www.bad.test.", dns.TypeA, withoutEDNS); m.IsEdns0() != nil {
		t.Errorf("OPT for who sent none:\n%s", m)
	}
	m := ask(t, n, "www.bad.test.", dns.TypeA)
	code, ok := m.IsEdns0().Option[0].(*dns.EDNS0_EDE)
	if !ok || code.InfoCode != dns.ExtendedErrorCodeBlocked || code.ExtraText != "list_deny malware" || !m.IsEdns0().Do() {
		t.Errorf("the client got %s", m)
	}
}

func TestByTCPANameOfModeTCPOnlyIsAnswered(t *testing.T) {
	s := newService(t)
	s.says(func(question) map[string]any { return denied(map[string]any{"mode": "tcp-only"}) })
	n := &Namewarden{answering("www.bad.test. 300 IN TXT a"), wardenFor(t, nil, s)}
	if m := ask(t, n, "www.bad.test.", dns.TypeTXT, byTCP); m.Truncated || len(m.Answer) != 1 {
		t.Errorf("by TCP the client got %s", m)
	}
	if m := ask(t, n, "www.bad.test.", dns.TypeTXT); !m.Truncated || len(m.Answer) != 0 {
		t.Errorf("by UDP the client got %s", m)
	}
}

func TestShadowAnswersAll(t *testing.T) {
	s := newService(t)
	s.says(func(question) map[string]any { return denied(nil) })
	n := &Namewarden{answering("www.bad.test. 300 IN A 192.0.2.20"), wardenFor(t, func(c *config) { c.isShadow = true }, s)}
	if m := ask(t, n, "www.bad.test.", dns.TypeA); len(m.Answer) != 1 || m.Answer[0].Header().Ttl != 300 {
		t.Errorf("the client got %s", m)
	}
}

func TestWithoutAVerdict(t *testing.T) {
	s := newService(t)
	s.instead(func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	for _, isClosed := range []bool{false, true} {
		n := &Namewarden{answering("www.example.org. 300 IN A 192.0.2.20"), wardenFor(t, func(c *config) {
			c.isClosed, c.timeout = isClosed, 30*time.Millisecond
		}, s)}
		begun := time.Now()
		m := ask(t, n, "www.example.org.", dns.TypeA)
		if passed := time.Since(begun); passed < 30*time.Millisecond || passed > 300*time.Millisecond {
			t.Errorf("the client waited %s", passed)
		}
		if !isClosed {
			if m.Rcode != dns.RcodeSuccess || len(m.Answer) != 1 {
				t.Errorf("open: the client got %s", m)
			}
			continue
		}
		code, ok := m.IsEdns0().Option[0].(*dns.EDNS0_EDE)
		if m.Rcode != dns.RcodeServerFailure || !ok || code.InfoCode != dns.ExtendedErrorCodeNotReady {
			t.Errorf("closed: the client got %s", m)
		}
	}
}

func TestAnswersAreJudged(t *testing.T) {
	for _, each := range []struct {
		records []string
		qtype   uint16
		want    []string // what of the answer is asked about
	}{
		{[]string{"www.example.org. 300 IN CNAME A.Bad.test.", "a.bad.test. 300 IN A 192.0.2.20"}, dns.TypeA, []string{"a.bad.test.", "192.0.2.20"}},
		{[]string{"www.example.org. 300 IN A 192.0.2.20"}, dns.TypeA, []string{"192.0.2.20"}},
		{[]string{"www.example.org. 300 IN AAAA ::ffff:192.0.2.20"}, dns.TypeAAAA, []string{"192.0.2.20"}},
		{[]string{"www.example.org. 300 IN HTTPS 1 svc.bad.test. ipv4hint=192.0.2.21 ipv6hint=2001:db8::21"}, dns.TypeHTTPS, []string{"svc.bad.test.", "192.0.2.21", "2001:db8::21"}},
		{[]string{"www.example.org. 300 IN SVCB 1 . ipv4hint=192.0.2.21"}, dns.TypeSVCB, []string{"192.0.2.21"}},
	} {
		s := newService(t)
		var asked []string
		s.says(func(q question) map[string]any {
			if q.Answer == nil {
				return nil
			}
			asked = append(append(append(asked, q.Answer.Names...), q.Answer.Targets...), q.Answer.Addresses...)
			return denied(map[string]any{"mode": "nxdomain"})
		})
		n := &Namewarden{answering(each.records...), wardenFor(t, nil, s)}
		if m := ask(t, n, "www.example.org.", each.qtype); m.Rcode != dns.RcodeNameError || len(m.Answer) != 0 {
			t.Errorf("%s: the client got %s", each.records, m)
		}
		if fmt.Sprint(asked) != fmt.Sprint(each.want) {
			t.Errorf("%s: asked about %s, expected %s", each.records, asked, each.want)
		}
	}
}

func TestAHugeAnswerIsJudgedWhole(t *testing.T) {
	s := newService(t)
	s.says(func(q question) map[string]any {
		if q.Answer != nil && strings.Contains(fmt.Sprint(q.Answer.Addresses), "203.0.113.199") {
			return denied(nil)
		}
		return nil
	})
	var records []string
	for i := range 200 {
		records = append(records, fmt.Sprintf("www.example.org. 300 IN A 203.0.113.%d", i))
	}
	n := &Namewarden{answering(records...), wardenFor(t, nil, s)}
	if m := ask(t, n, "www.example.org.", dns.TypeA, byTCP); len(m.Answer) != 1 {
		t.Errorf("the client got %s", m)
	}
	for _, q := range s.questions() {
		if q.Answer != nil && len(q.Answer.Addresses) > answerMost {
			t.Errorf("%d addresses in one question", len(q.Answer.Addresses))
		}
	}
}

func TestALoopOfAliasesEnds(t *testing.T) {
	m := new(dns.Msg)
	for _, text := range []string{"a.test. 1 IN CNAME b.test.", "b.test. 1 IN CNAME a.test.", "z.test. 1 IN CNAME y.test."} {
		rr, _ := dns.NewRR(text)
		m.Answer = append(m.Answer, rr)
	}
	if found := leadsOf(m, "a.test."); fmt.Sprint(found.names) != "[b.test. a.test.]" {
		t.Errorf("found %s", found.names)
	}
}

func TestARuleThatAllowsCoversTheAnswer(t *testing.T) {
	s := newService(t)
	s.says(func(question) map[string]any { return map[string]any{"reason": "rule_allow"} })
	n := &Namewarden{answering("www.example.org. 300 IN CNAME bad.test."), wardenFor(t, nil, s)}
	ask(t, n, "www.example.org.", dns.TypeA)
	if asked := s.questions(); len(asked) != 1 {
		t.Errorf("asked %+v", asked)
	}
}

func TestZoneTransfersPassMessageByMessage(t *testing.T) {
	s := newService(t)
	next := test.HandlerFunc(func(_ context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
		for range 3 {
			_ = w.WriteMsg(new(dns.Msg).SetReply(r))
		}
		return dns.RcodeSuccess, nil
	})
	w := dnstest.NewMultiRecorder(&test.ResponseWriter{TCP: true})
	m := new(dns.Msg).SetAxfr("example.org.")
	if _, err := (&Namewarden{next, wardenFor(t, nil, s)}).ServeDNS(t.Context(), w, m); err != nil || len(w.Msgs) != 3 {
		t.Errorf("%d messages, error %v", len(w.Msgs), err)
	}
}

func TestAnswersInWireFormatAreJudged(t *testing.T) {
	s := newService(t)
	s.says(func(q question) map[string]any {
		if q.Answer == nil {
			return nil
		}
		return denied(nil)
	})
	next := test.HandlerFunc(func(_ context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
		m := new(dns.Msg).SetReply(r)
		m.Answer = []dns.RR{test.A("www.example.org. 300 IN A 192.0.2.20")}
		octets, _ := m.Pack()
		_, err := w.Write(octets)
		return dns.RcodeSuccess, err
	})
	n := &Namewarden{next, wardenFor(t, nil, s)}
	if m := ask(t, n, "www.example.org.", dns.TypeA); m.Answer[0].String() != test.A("www.example.org. 10 IN A 0.0.0.0").String() {
		t.Errorf("the client got %s", m)
	}
}

func TestWhatTheNextPluginDidNotAnswerIsLeftToTheServer(t *testing.T) {
	s := newService(t)
	n := &Namewarden{test.NextHandler(dns.RcodeRefused, nil), wardenFor(t, nil, s)}
	w := dnstest.NewRecorder(&test.ResponseWriter{})
	rcode, err := n.ServeDNS(t.Context(), w, new(dns.Msg).SetQuestion("example.org.", dns.TypeA))
	if rcode != dns.RcodeRefused || err != nil || w.Msg != nil {
		t.Errorf("rcode %d, error %v, message %v", rcode, err, w.Msg)
	}
}

func TestOtherClassesAndMessagesAreNotJudged(t *testing.T) {
	s := newService(t)
	n := &Namewarden{answering(), wardenFor(t, nil, s)}
	for _, change := range []func(*dns.Msg){
		func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS },
		func(m *dns.Msg) { m.Opcode = dns.OpcodeNotify },
	} {
		ask(t, n, "version.bind.", dns.TypeTXT, func(m *dns.Msg, _ *test.ResponseWriter) { change(m) })
	}
	if asked := s.questions(); len(asked) != 0 {
		t.Errorf("asked %+v", asked)
	}
}

func TestWhatRewriteMadeIsJudgedAndWhatWasAskedIsLogged(t *testing.T) {
	s := newService(t)
	w := wardenFor(t, nil, s)
	w.reporter = newReporter(address{}, nil, new(bearer)) // nobody takes its events away
	defer func() { w.reporter = nil }()
	rewrite := test.HandlerFunc(func(ctx context.Context, to dns.ResponseWriter, r *dns.Msg) (int, error) {
		r.Question[0].Name = "inner.test."
		return (&Namewarden{answering(), w}).ServeDNS(ctx, to, r)
	})
	m := new(dns.Msg).SetQuestion("Outer.test.", dns.TypeA)
	if _, err := (remember{rewrite}).ServeDNS(t.Context(), dnstest.NewRecorder(&test.ResponseWriter{}), m); err != nil {
		t.Fatal(err)
	}
	if asked := s.questions(); len(asked) != 1 || asked[0].Name != "inner.test." {
		t.Errorf("asked %+v", asked)
	}
	if logged := w.reporter.take(nil); logged[0].event().name != "outer.test." {
		t.Errorf("logged %+v", logged)
	}
}

func TestMetadata(t *testing.T) {
	s := newService(t)
	s.says(func(question) map[string]any {
		said := denied(nil)
		said["family"] = "conficker"
		return said
	})
	n := &Namewarden{answering(), wardenFor(t, nil, s)}
	ctx := n.Metadata(metadata.ContextWithMetadata(t.Context()), request.Request{})
	if value := metadata.ValueFunc(ctx, labelAction)(); value != "" {
		t.Errorf("before the query: %q", value)
	}
	if _, err := n.ServeDNS(ctx, dnstest.NewRecorder(&test.ResponseWriter{}), new(dns.Msg).SetQuestion("bad.test.", dns.TypeA)); err != nil {
		t.Fatal(err)
	}
	for label, want := range map[string]string{labelAction: "block", labelReason: "list_deny", labelFamily: "conficker"} {
		if value := metadata.ValueFunc(ctx, label)(); value != want {
			t.Errorf("%s is %q, expected %q", label, value, want)
		}
	}
}

func TestReady(t *testing.T) {
	s := newService(t)
	for _, isClosed := range []bool{false, true} {
		closed := func(c *config) { c.isClosed = isClosed }
		if n := (&Namewarden{nil, wardenFor(t, closed, s)}); !n.Ready() {
			t.Errorf("closed %t: not ready though a service answers", isClosed)
		}
		nobody := func(c *config) { c.isClosed, c.endpoints = isClosed, []address{{"unix:///nobody", "/nobody"}} }
		if n := (&Namewarden{nil, wardenFor(t, nobody)}); n.Ready() == isClosed {
			t.Errorf("closed %t: ready is %t and nobody answers", isClosed, n.Ready())
		}
	}
}

func TestClients(t *testing.T) {
	for _, each := range []struct {
		remote net.Addr
		want   string
	}{
		{&net.UDPAddr{IP: net.ParseIP("192.0.2.7"), Port: 1}, "192.0.2.7"},
		{&net.TCPAddr{IP: net.ParseIP("::ffff:192.0.2.7"), Port: 1}, "192.0.2.7"},
		{&net.UDPAddr{IP: net.ParseIP("fe80::1"), Port: 1, Zone: "eth0"}, "fe80::1"},
		{&net.UnixAddr{Name: "x"}, "::"},
	} {
		if got := clientOf(each.remote); got != each.want {
			t.Errorf("%s is %s, expected %s", each.remote, got, each.want)
		}
	}
}

func TestNames(t *testing.T) {
	for name, want := range map[string]string{
		"WWW.Example.org.": "www.example.org.", `a\.B.test.`: `a\046b.test.`, `a\ b\255.test.`: `a\032b\255.test.`, ".": ".", "_sip._udp.test.": "_sip._udp.test.",
	} {
		if got := plainName(name); got != want {
			t.Errorf("%s is %s, expected %s", name, got, want)
		}
	}
}
