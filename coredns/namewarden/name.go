package namewarden

import (
	"fmt"
	"strings"

	"github.com/miekg/dns"
)

// plainName is the name as Namewarden writes it: lower-case, every octet but letters, digits, - and _ as \DDD, a dot
// inside a label, too. CoreDNS escapes otherwise; the service would not know its names again.
func plainName(name string) string {
	if isPlain(name) {
		return name
	}
	octets := wireName(name)
	if octets == "" || octets == "\x00" {
		return "."
	}
	var text strings.Builder
	for at := 0; octets[at] != 0; at += 1 + int(octets[at]) {
		for _, octet := range []byte(octets[at+1 : at+1+int(octets[at])]) {
			if isPlainOctet(octet) {
				text.WriteByte(octet)
			} else {
				fmt.Fprintf(&text, `\%03d`, octet)
			}
		}
		text.WriteByte('.')
	}
	return text.String()
}

func isPlain(name string) bool {
	for i := range len(name) {
		if !isPlainOctet(name[i]) && name[i] != '.' {
			return false
		}
	}
	return strings.HasSuffix(name, ".")
}

func isPlainOctet(octet byte) bool {
	return 'a' <= octet && octet <= 'z' || '0' <= octet && octet <= '9' || octet == '-' || octet == '_'
}

// isSameName compares as DNS does: case and the way of escaping mean nothing.
func isSameName(a, b string) bool {
	return a == b || wireName(a) == wireName(b)
}

// wireName is the name's octets, its letters lower-case; "" for what is none.
func wireName(name string) string {
	octets := make([]byte, 256)
	end, err := dns.PackDomainName(dns.Fqdn(name), octets, 0, nil, false)
	if err != nil {
		return ""
	}
	for i, octet := range octets[:end] {
		if 'A' <= octet && octet <= 'Z' { // no length: those are at most 63
			octets[i] = octet + 'a' - 'A'
		}
	}
	return string(octets[:end])
}
