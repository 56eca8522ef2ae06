package namewarden

import (
	"net/netip"

	"github.com/miekg/dns"
)

// Counterparts: policy/block.py and wire/answers.py, which answer the same at the resolver; contract/verdict.json has the
// cases that both replay.

const (
	soaMName   = "namewarden.invalid."
	soaRName   = "nobody.invalid."
	soaSerial  = 1
	soaRefresh = 3600
	soaRetry   = 600
	soaExpire  = 86400

	edeNotReady = dns.ExtendedErrorCodeNotReady
)

var (
	null4 = netip.IPv4Unspecified()
	null6 = netip.IPv6Unspecified()
)

// answerDenied is what the client gets in place of an answer; nil when it gets none.
func answerDenied(r *dns.Msg, d *denial) *dns.Msg {
	if d.Mode == modeDrop {
		return nil
	}
	m := answerPlain(r, dns.RcodeSuccess, d.EDE...)
	switch {
	case d.Mode == modeTCPOnly:
		m.Truncated = true
		return m
	case d.Mode == modeRefused:
		m.Rcode = dns.RcodeRefused
		return m
	case d.isTooLong():
		m.Rcode = dns.RcodeYXDomain
		return m
	case d.Mode == modeNXDomain:
		m.Rcode = dns.RcodeNameError
	}
	m.Answer = d.answers(r.Question[0])
	if len(m.Answer) == 0 {
		m.Ns = []dns.RR{soa(r.Question[0].Name, d.TTL, m.Rcode == dns.RcodeSuccess)}
	}
	return m
}

// answerPlain is an answer without records. RFC 8914 §3: who sent no OPT gets none, and no code.
func answerPlain(r *dns.Msg, rcode int, codes ...ede) *dns.Msg {
	m := new(dns.Msg).SetRcode(r, rcode)
	m.RecursionAvailable = true
	if asked := r.IsEdns0(); asked != nil && len(codes) > 0 {
		m.SetEdns0(asked.UDPSize(), asked.Do())
		for _, code := range codes {
			m.IsEdns0().Option = append(m.IsEdns0().Option, &dns.EDNS0_EDE{InfoCode: code.code, ExtraText: code.text})
		}
	}
	return m
}

// answers are the records for this question: of its type, or a CNAME.
func (d *denial) answers(q dns.Question) []dns.RR {
	switch d.Mode {
	case modeNull:
		return addressRecords(q, d.TTL, null4, null6)
	case modeIP:
		return addressRecords(q, d.TTL, d.addresses...)
	case modeData:
		return d.data(q)
	}
	return nil
}

func (d *denial) data(q dns.Question) []dns.RR {
	var found []dns.RR
	for _, rr := range d.records {
		if kind := rr.Header().Rrtype; kind == q.Qtype || kind == dns.TypeCNAME {
			owned := dns.Copy(rr)
			owned.Header().Name = q.Name
			found = append(found, owned)
		}
	}
	return found
}

// isTooLong says that the name has no room in the target of its alias (RFC 6672 §2.2).
func (d *denial) isTooLong() bool {
	for _, rr := range d.records {
		if alias, ok := rr.(*dns.CNAME); ok && len(alias.Target) > 1 && alias.Target[:2] == "*." {
			return true
		}
	}
	return false
}

// alias is where local data sends a question of this type, "" when it answers it.
func (d *denial) alias(qtype uint16) string {
	if d.Mode != modeData || qtype == dns.TypeCNAME || qtype == dns.TypeANY || d.isTooLong() {
		return ""
	}
	target := ""
	for _, rr := range d.records {
		if rr.Header().Rrtype == qtype {
			return ""
		}
		if alias, ok := rr.(*dns.CNAME); ok {
			target = alias.Target
		}
	}
	return target
}

func addressRecords(q dns.Question, ttl uint32, addresses ...netip.Addr) []dns.RR {
	var found []dns.RR
	header := dns.RR_Header{Name: q.Name, Rrtype: q.Qtype, Class: dns.ClassINET, Ttl: ttl}
	for _, address := range addresses {
		switch {
		case q.Qtype == dns.TypeA && address.Is4():
			found = append(found, &dns.A{Hdr: header, A: address.AsSlice()})
		case q.Qtype == dns.TypeAAAA && address.Is6():
			found = append(found, &dns.AAAA{Hdr: header, AAAA: address.AsSlice()})
		}
	}
	return found
}

// soa lets who asked keep the denial for ttl seconds (RFC 2308 §5). Its owner is the name's parent: by the name itself
// dnsmasq takes a record of it for known, by the root PowerDNS Recursor takes the whole top-level domain for absent. A
// single label that exists owns it itself; for one that does not it is a zone that has nothing to do with it.
func soa(name string, ttl uint32, exists bool) dns.RR {
	owner := soaMName
	if next, end := dns.NextLabel(name, 0); !end && next < len(name) {
		owner = name[next:]
	} else if exists {
		owner = name
	}
	return &dns.SOA{
		Hdr: dns.RR_Header{Name: owner, Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: ttl},
		Ns:  soaMName, Mbox: soaRName,
		Serial: soaSerial, Refresh: soaRefresh, Retry: soaRetry, Expire: soaExpire, Minttl: ttl,
	}
}
