package namewarden

import (
	"net/netip"
	"os"
	"testing"

	"github.com/miekg/dns"
)

// FuzzDecodeVerdicts: junk is an error, or verdicts that can be answered with.
func FuzzDecodeVerdicts(f *testing.F) {
	f.Add([]byte(`{"generation":"g1","verdicts":[{"id":"r","name":"www.example.org.","action":"block","reason":"list_deny","ttl":10,` +
		`"answer":{"mode":"data","addresses":["192.0.2.1","::1"],"records":[["TXT",60,"\"x\""],["CNAME",60,"*.garden.test."]],"ttl":10,"ede":[[15,"x"]]}}]}`))
	f.Add([]byte(`{"generation":"g1","verdicts":[{"error":"no name"}]}`))
	for _, name := range []string{"../../contract/verdict.json", "../../contract/answers.json"} {
		if data, err := os.ReadFile(name); err == nil {
			f.Add(data)
		}
	}
	asked := []question{{Name: "www.example.org.", QType: 1, Client: "192.0.2.9"}}
	f.Fuzz(func(t *testing.T, data []byte) {
		said, err := decodeVerdicts(data, asked)
		if err != nil {
			return
		}
		for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeTXT, dns.TypeMX} {
			answerable(t, said.Verdicts[0], qtype)
		}
	})
}

func answerable(t *testing.T, v *verdict, qtype uint16) {
	if !v.denies() {
		return
	}
	r := new(dns.Msg).SetQuestion("www.example.org.", qtype)
	r.SetEdns0(1232, false)
	m := answerDenied(r, v.Denial)
	if m == nil {
		return
	}
	octets, err := m.Pack()
	if err != nil {
		t.Fatalf("an answer that cannot be sent: %v\n%s", err, m)
	}
	if err := new(dns.Msg).Unpack(octets); err != nil {
		t.Fatalf("an answer that cannot be read: %v\n%s", err, m)
	}
}

// FuzzLeads: any answer can be asked about, and within the bounds of a question.
func FuzzLeads(f *testing.F) {
	m := new(dns.Msg).SetQuestion("www.example.org.", dns.TypeA)
	for _, text := range []string{"www.example.org. 1 IN CNAME a\\.b.test.", "a\\.b.test. 1 IN A 192.0.2.1", "x. 1 IN HTTPS 1 . ipv4hint=192.0.2.1"} {
		rr, _ := dns.NewRR(text)
		m.Answer = append(m.Answer, rr)
	}
	octets, _ := m.Pack()
	f.Add(octets)
	f.Fuzz(func(t *testing.T, data []byte) {
		m := new(dns.Msg)
		if m.Unpack(data) != nil || len(m.Question) == 0 {
			return
		}
		found := leadsOf(m, plainName(m.Question[0].Name))
		for _, each := range found.parts() {
			part := each.given()
			if each.key() == "" || len(part.Names) > answerMost || len(part.Targets) > answerMost || len(part.Addresses) > answerMost {
				t.Fatal("a part is too large")
			}
			for _, text := range part.Addresses {
				if _, err := netip.ParseAddr(text); err != nil {
					t.Fatal(err)
				}
			}
			for _, name := range append(part.Names, part.Targets...) {
				if !isSameName(plainName(name), name) {
					t.Fatalf("%q is another name", name)
				}
			}
		}
	})
}
