package namewarden

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/coredns/coredns/plugin/pkg/dnstest"
	"github.com/coredns/coredns/plugin/test"

	"github.com/miekg/dns"
)

// The golden cases of contract/ that Python replays, too.

type contractCase struct {
	Case  string `json:"case"`
	Query struct {
		Name   string `json:"name"`
		QType  string `json:"qtype"`
		Client string `json:"client"`
	} `json:"query"`
	Records  []string        `json:"records"`
	Answer   *givenAnswer    `json:"answer"`
	Says     json.RawMessage `json:"says"`
	Answered json.RawMessage `json:"answered"`
}

func contract(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "contract", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}

func TestContractWords(t *testing.T) {
	var found struct {
		Words struct {
			Actions  []string `json:"actions"`
			Reasons  []string `json:"reasons"`
			Bands    []string `json:"bands"`
			Statuses []string `json:"statuses"`
			Modes    []string `json:"block_modes"`
		} `json:"words"`
	}
	contract(t, "verdict.json", &found)
	for _, each := range []struct{ theirs, ours []string }{
		{found.Words.Actions, actions}, {found.Words.Reasons, reasons}, {found.Words.Bands, bands}, {found.Words.Modes, modes},
	} {
		if !slices.Equal(each.theirs, each.ours) {
			t.Errorf("contract/verdict.json says %q, the plugin %q", each.theirs, each.ours)
		}
	}
	for _, status := range []string{statusForwarded, statusCache, statusLocal, statusBlocked, statusBlockedCNAME, statusRedirected, statusRefused, statusDropped, statusFailed} {
		if !slices.Contains(found.Words.Statuses, status) {
			t.Errorf("no status of the contract: %q", status)
		}
	}
}

func TestContractFields(t *testing.T) {
	var found struct {
		Fields map[string][]string `json:"fields"`
	}
	contract(t, "verdict.json", &found)
	ours := map[string]any{"query": question{}, "given_answer": givenAnswer{}, "verdict": verdict{}, "denial": denial{}}
	for name, theirs := range found.Fields {
		have := fieldsOf(ours[name])
		slices.Sort(have)
		slices.Sort(theirs)
		if !slices.Equal(theirs, have) {
			t.Errorf("%s: contract/verdict.json says %q, the plugin %q", name, theirs, have)
		}
	}
}

func fieldsOf(value any) (names []string) {
	kind := reflect.TypeOf(value)
	for i := range kind.NumField() {
		if tag, _, _ := strings.Cut(kind.Field(i).Tag.Get("json"), ","); tag != "" {
			names = append(names, tag)
		}
	}
	return names
}

func TestContractVerdicts(t *testing.T) {
	var found struct {
		API []contractCase `json:"api"`
	}
	contract(t, "verdict.json", &found)
	replay(t, found.API)
}

func TestContractAnswers(t *testing.T) {
	var found struct {
		Cases []contractCase `json:"cases"`
	}
	contract(t, "answers.json", &found)
	replay(t, found.Cases)
}

// replay lets a service say what the contract says, of the name or of its answer, and looks at what the client gets.
func replay(t *testing.T, cases []contractCase) {
	if len(cases) < 10 {
		t.Fatal("the contract has no cases")
	}
	s := newService(t)
	for _, each := range cases {
		t.Run(each.Case, func(t *testing.T) {
			n := &Namewarden{Next: answering(each.Records...), warden: wardenFor(t, nil, s)}
			var given *givenAnswer
			s.instead(func(w http.ResponseWriter, r *http.Request) {
				asked := s.questions()
				is := asked[len(asked)-1]
				said := map[string]any{}
				if is.Answer != nil || each.Answer == nil {
					given = is.Answer
					if err := json.Unmarshal(each.Says, &said); err != nil {
						t.Error(err)
					}
				}
				_ = json.NewEncoder(w).Encode(map[string]any{"verdicts": []any{fill(is.Name, said)}, "generation": "g1"})
			})
			m := new(dns.Msg).SetQuestion(each.Query.Name, dns.StringToType[each.Query.QType])
			m.SetEdns0(1232, false)
			w := dnstest.NewRecorder(&test.ResponseWriter{RemoteIP: each.Query.Client})
			if _, err := n.ServeDNS(t.Context(), w, m); err != nil {
				t.Fatal(err)
			}
			if each.Answer != nil && each.Answer.size() > 0 && !reflect.DeepEqual(given, each.Answer) {
				t.Errorf("asked about the answer %+v, expected %+v", given, each.Answer)
			}
			if got, want := seen(w.Msg), plainJSON(each.Answered); got != want {
				t.Errorf("the client got %s, expected %s", got, want)
			}
		})
	}
}

// seen is a message as the contract writes it; what the next plugin answered is "next".
func seen(m *dns.Msg) string {
	if m == nil {
		return `"silence"`
	}
	if len(m.Extra) == 0 {
		return `"next"`
	}
	answer, codes := []string{}, [][]any{}
	for _, rr := range m.Answer {
		fields := strings.SplitN(rr.String(), "\t", 5)
		answer = append(answer, fmt.Sprintf("%d %s %s", rr.Header().Ttl, fields[3], fields[4]))
	}
	for _, option := range m.IsEdns0().Option {
		if code, ok := option.(*dns.EDNS0_EDE); ok {
			codes = append(codes, []any{code.InfoCode, code.ExtraText})
		}
	}
	data, _ := json.Marshal(map[string]any{"rcode": dns.RcodeToString[m.Rcode], "truncated": m.Truncated, "answer": answer, "ede": codes})
	return string(data)
}

func plainJSON(data []byte) string {
	var value any
	_ = json.Unmarshal(data, &value)
	plain, _ := json.Marshal(value)
	return string(plain)
}

// answering is a next plugin with these records.
func answering(records ...string) test.Handler {
	return test.HandlerFunc(func(_ context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
		m := new(dns.Msg).SetReply(r)
		for _, text := range records {
			rr, err := dns.NewRR(text)
			if err != nil {
				return dns.RcodeServerFailure, err
			}
			m.Answer = append(m.Answer, rr)
		}
		return dns.RcodeSuccess, w.WriteMsg(m)
	})
}
