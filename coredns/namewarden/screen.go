package namewarden

import (
	"net/netip"
	"slices"

	"github.com/miekg/dns"
)

const answerMost = 64 // names, and addresses, of one question to the service

// leads is where an answer leads.
type leads struct {
	names     []string     // of its chain of aliases, in order
	targets   []string     // of HTTPS and SVCB records
	addresses []netip.Addr // of A and AAAA records, and hints
}

func (l *leads) isNone() bool { return len(l.names)+len(l.targets)+len(l.addresses) == 0 }

// leadsOf reads the answer section. name is what was asked.
func leadsOf(m *dns.Msg, name string) leads {
	found := leads{names: chainOf(m.Answer, name)}
	for _, rr := range m.Answer {
		switch rr := rr.(type) {
		case *dns.A:
			found.addAddress(rr.A)
		case *dns.AAAA:
			found.addAddress(rr.AAAA)
		case *dns.SVCB:
			found.addService(rr)
		case *dns.HTTPS:
			found.addService(&rr.SVCB)
		}
	}
	return found
}

// chainOf follows the aliases from name.
func chainOf(answer []dns.RR, name string) []string {
	aliases := aliasesOf(answer)
	var chain []string
	for range len(aliases) {
		target := aliases[name]
		if target == "" {
			break
		}
		delete(aliases, name) // a loop ends
		chain = append(chain, target)
		name = target
	}
	return chain
}

// aliasesOf maps owners to targets, nil when there are none.
func aliasesOf(answer []dns.RR) map[string]string {
	var found map[string]string
	for _, rr := range answer {
		if alias, ok := rr.(*dns.CNAME); ok {
			if found == nil {
				found = make(map[string]string)
			}
			found[plainName(alias.Hdr.Name)] = plainName(alias.Target)
		}
	}
	return found
}

// addService adds the target and the hints of RFC 9460 §7.3.
func (l *leads) addService(rr *dns.SVCB) {
	if rr.Target != "." {
		l.targets = append(l.targets, plainName(rr.Target))
	}
	for _, value := range rr.Value {
		switch hint := value.(type) {
		case *dns.SVCBIPv4Hint:
			for _, address := range hint.Hint {
				l.addAddress(address)
			}
		case *dns.SVCBIPv6Hint:
			for _, address := range hint.Hint {
				l.addAddress(address)
			}
		}
	}
}

func (l *leads) addAddress(octets []byte) {
	if address, ok := netip.AddrFromSlice(octets); ok {
		l.addresses = append(l.addresses, address.Unmap())
	}
}

// parts splits what one question cannot hold; mostly there is one part. The end of the chain is in each: it says whose
// the addresses are.
func (l *leads) parts() []*leads {
	most := max(len(l.names), len(l.targets), len(l.addresses))
	if most <= answerMost {
		return []*leads{l}
	}
	var parts []*leads
	for start := 0; start < most; start += answerMost {
		names := part(l.names, min(start, max(len(l.names)-answerMost, 0)))
		parts = append(parts, &leads{names, part(l.targets, start), part(l.addresses, start)})
	}
	return parts
}

func part[T any](all []T, start int) []T {
	if start >= len(all) {
		return nil
	}
	return all[start:min(start+answerMost, len(all))]
}

// given is how the service is asked about it.
func (l *leads) given() *givenAnswer {
	given := &givenAnswer{append([]string{}, l.names...), append([]string{}, l.targets...), []string{}} // in JSON no null
	for _, address := range l.addresses {
		given.Addresses = append(given.Addresses, address.String())
	}
	return given
}

// key is the answer's part of a key: the same leads give the same, in whatever order addresses come.
func (l *leads) key() string {
	addresses := l.addresses
	if !slices.IsSortedFunc(addresses, netip.Addr.Compare) {
		addresses = slices.SortedFunc(slices.Values(addresses), netip.Addr.Compare)
	}
	var room [256]byte
	text := room[:0]
	for _, names := range [2][]string{l.names, l.targets} {
		for _, name := range names {
			text = append(append(text, name...), '\n') // never in a name: it would be escaped
		}
		text = append(text, '\n')
	}
	for _, address := range addresses {
		octets := address.As16()
		text = append(text, octets[:]...)
	}
	return string(text)
}
