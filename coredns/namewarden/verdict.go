package namewarden

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"
)

// What the verdict API and this plugin say to each other. contract/verdict.json fixes the words; contract_test.go
// replays it. What comes in is hostile until it has passed decodeVerdicts.

const (
	actionAllow    = "allow"
	actionFlag     = "flag"
	actionReview   = "review"
	actionBlock    = "block"
	actionRedirect = "redirect"

	reasonNone = "none"
	reasonLate = "model_late" // no verdict in time, whoever is to blame

	modeNull     = "null"
	modeNXDomain = "nxdomain"
	modeNoData   = "nodata"
	modeRefused  = "refused"
	modeIP       = "ip"
	modeDrop     = "drop"
	modeTCPOnly  = "tcp-only"
	modeData     = "data"
)

const (
	maxBody    = 4 << 20 // octets of one answer of the service
	maxText    = 1024    // octets of a rule, family, model, EDE
	maxWord    = 64      // octets of a reason or band
	maxRecords = 256     // of one verdict
	maxKept    = 86400   // seconds a verdict is kept, whatever it says
	maxTTL     = 1<<31 - 1
)

var (
	actions = []string{actionAllow, actionFlag, actionReview, actionBlock, actionRedirect}
	modes   = []string{modeNull, modeNXDomain, modeNoData, modeRefused, modeIP, modeDrop, modeTCPOnly, modeData}
	reasons = []string{
		reasonNone, "acl", "limit", "special", "record", "rule_allow", "pattern_allow", "rule_deny", "pattern_deny",
		"list_allow", "list_deny", "forecast", "guard", "private_suffix", "unscored", "model_off", reasonLate,
		"model_benign", "model_uncertain", "model_malicious", "cname_deny", "rebinding", "upstream", "fault",
	}
	bands = []string{"", "benign", "uncertain", "malicious", "error"}
)

// reasonLabel is the reason as a metric's label. A service that is newer may have more of them.
func (v *verdict) reasonLabel() string {
	if slices.Contains(reasons, v.Reason) {
		return v.Reason
	}
	return "other"
}

// question is one name to be judged, or with Answer what it is about to be answered.
type question struct {
	Name   string       `json:"name"`
	QType  uint16       `json:"qtype"`
	Client string       `json:"client"`
	Answer *givenAnswer `json:"answer,omitempty"`
}

// size is about how many octets it has as JSON; escapes of names double.
func (q question) size() int {
	size := 100 + 2*len(q.Name)
	if q.Answer != nil {
		size += q.Answer.size()
	}
	return size
}

func (a *givenAnswer) size() int {
	size := 48 * len(a.Addresses)
	for _, name := range slices.Concat(a.Names, a.Targets) {
		size += 2*len(name) + 3
	}
	return size
}

// givenAnswer is where an answer leads (contract/answers.json).
type givenAnswer struct {
	Names     []string `json:"names"`
	Targets   []string `json:"targets"`
	Addresses []string `json:"addresses"`
}

// verdictRequest is the body of POST /api/v1/verdicts.
type verdictRequest struct {
	Queries []question `json:"queries"`
}

// verdictResponse is what it answers.
type verdictResponse struct {
	Verdicts   []*verdict `json:"verdicts"`
	Generation string     `json:"generation"`
}

// verdict is what is said about one name for one client.
type verdict struct {
	ID     string   `json:"id"`
	Name   string   `json:"name"`
	Action string   `json:"action"`
	Reason string   `json:"reason"`
	Rule   string   `json:"rule"`
	Family string   `json:"family"`
	Score  *float64 `json:"score"`
	Band   string   `json:"band"`
	Model  string   `json:"model"`
	Shadow string   `json:"shadow"`
	Denial *denial  `json:"answer"` // nil: answered as asked
	TTL    int64    `json:"ttl"`    // seconds it may be kept
	Error  string   `json:"error"`  // why the name is none; then the rest says nothing
	Group  string   `json:"group"`  // the client's
	Scope  string   `json:"scope"`  // of which clients it is true; "" of this one alone

	counted atomic.Pointer[counted]
}

// counted is where a verdict is counted at a server. Most are at one alone.
type counted struct {
	server, of string
	counter    prometheus.Counter
}

func (v *verdict) count(server, of string) {
	is := v.counted.Load()
	if is == nil || is.server != server || is.of != of {
		is = &counted{server, of, verdictsTotal.WithLabelValues(server, of, v.Action, v.reasonLabel())}
		v.counted.Store(is)
	}
	is.counter.Inc()
}

// denial is how a block or redirect is answered.
type denial struct {
	Mode      string   `json:"mode"`
	Addresses []string `json:"addresses"`
	Records   []record `json:"records"`
	TTL       uint32   `json:"ttl"`
	EDE       []ede    `json:"ede"`

	addresses []netip.Addr // as parsed
	records   []dns.RR     // as parsed, owned by the root
}

// record is type, TTL and the text of its data.
type record struct {
	kind string
	ttl  uint32
	text string
}

// ede is a code and text of RFC 8914.
type ede struct {
	code uint16
	text string
}

// UnmarshalJSON reads [type, TTL, text].
func (r *record) UnmarshalJSON(data []byte) error {
	return unmarshalArray(data, &r.kind, &r.ttl, &r.text)
}

// UnmarshalJSON reads [code, text].
func (e *ede) UnmarshalJSON(data []byte) error { return unmarshalArray(data, &e.code, &e.text) }

func unmarshalArray(data []byte, into ...any) error {
	var parts []json.RawMessage
	if err := json.Unmarshal(data, &parts); err != nil {
		return err
	}
	if len(parts) != len(into) {
		return fmt.Errorf("%d parts where %d are expected", len(parts), len(into))
	}
	for i, part := range parts {
		if err := json.Unmarshal(part, into[i]); err != nil {
			return err
		}
	}
	return nil
}

// denies says whether the name is answered here.
func (v *verdict) denies() bool { return v.Action == actionBlock || v.Action == actionRedirect }

// coversAnswer says whether the name's answer may lead anywhere: rules and lists that allow a name allow its chain.
func (v *verdict) coversAnswer() bool {
	return v.Action == actionAllow && (v.Reason == "rule_allow" || v.Reason == "pattern_allow" || v.Reason == "list_allow")
}

// keptFor is how long the verdict may be given again.
func (v *verdict) keptFor() time.Duration { return time.Duration(min(v.TTL, maxKept)) * time.Second }

// decodeVerdicts reads an answer of the service to these questions. Any error means that none of it may be used.
func decodeVerdicts(body []byte, asked []question) (*verdictResponse, error) {
	said := new(verdictResponse)
	decoder := json.NewDecoder(bytes.NewReader(body))
	if err := decoder.Decode(said); err != nil {
		return nil, fmt.Errorf("not verdicts: %w", err)
	}
	if len(said.Verdicts) != len(asked) {
		return nil, fmt.Errorf("%d verdicts for %d names", len(said.Verdicts), len(asked))
	}
	if said.Generation == "" || len(said.Generation) > maxText {
		return nil, errors.New("verdicts without a generation")
	}
	for i, v := range said.Verdicts {
		if v == nil {
			return nil, errors.New("a verdict is null")
		}
		if err := v.check(asked[i].Name); err != nil {
			return nil, err
		}
	}
	return said, nil
}

func (v *verdict) check(name string) error {
	if v.Error != "" {
		return v.checkNoName()
	}
	if !isSameName(v.Name, name) {
		return fmt.Errorf("a verdict about another name than %q", name)
	}
	if !slices.Contains(actions, v.Action) {
		return fmt.Errorf("unknown action %.40q", v.Action)
	}
	if v.Reason == "" || len(v.Reason) > maxWord || len(v.Band) > maxWord {
		return fmt.Errorf("no reason or band: %.40q %.40q", v.Reason, v.Band)
	}
	if v.Shadow != "" && !slices.Contains(actions, v.Shadow) {
		return fmt.Errorf("unknown action %.40q", v.Shadow)
	}
	if v.TTL < 0 {
		return fmt.Errorf("a verdict to be kept for %d seconds", v.TTL)
	}
	if len(v.ID)+len(v.Rule)+len(v.Family)+len(v.Model)+len(v.Group)+len(v.Scope) > 6*maxText {
		return errors.New("a verdict with texts that are too long")
	}
	if !v.denies() {
		return nil
	}
	if v.Denial == nil {
		return fmt.Errorf("a %s without an answer", v.Action)
	}
	return v.Denial.check()
}

// checkNoName makes a verdict of the service's word that the name is none: nobody can serve it, and nothing is known.
func (v *verdict) checkNoName() error {
	v.Action, v.Reason, v.Band = actionAllow, "unscored", "error"
	v.Rule, v.Family, v.Model, v.Shadow, v.Group, v.Scope = "", "", "", "", "", ""
	v.Score, v.Denial, v.TTL = nil, nil, 0
	return nil
}

func (d *denial) check() error {
	if !slices.Contains(modes, d.Mode) {
		return fmt.Errorf("unknown mode %.40q", d.Mode)
	}
	if len(d.Addresses) > maxRecords || len(d.Records) > maxRecords || len(d.EDE) > 8 || d.TTL > maxTTL {
		return errors.New("an answer with too many records")
	}
	for _, text := range d.Addresses {
		address, err := netip.ParseAddr(text)
		if err != nil || address.Zone() != "" {
			return fmt.Errorf("not an address: %.60q", text)
		}
		d.addresses = append(d.addresses, address)
	}
	for _, each := range d.Records {
		rr, err := each.parse()
		if err != nil {
			return err
		}
		d.records = append(d.records, rr)
	}
	return d.checkTexts()
}

func (d *denial) checkTexts() error {
	for _, each := range d.EDE {
		if len(each.text) > maxText {
			return errors.New("an EDE that is too long")
		}
	}
	return nil
}

// parse makes a record of the root; who answers gives it its owner. A text is one record or none: with a line break or
// a bracket it could be a directive of a zone file.
func (r record) parse() (dns.RR, error) {
	kind, known := dns.StringToType[r.kind]
	if !known || strings.ContainsAny(r.text, "\n\r") || len(r.text) > maxBody/64 || r.ttl > maxTTL {
		return nil, fmt.Errorf("not a record: %.40q", r.kind)
	}
	rr, err := dns.NewRR(fmt.Sprintf(". %d IN %s %s", r.ttl, r.kind, r.text))
	if err != nil || rr == nil || rr.Header().Rrtype != kind {
		return nil, fmt.Errorf("not a %s record: %.60q", r.kind, r.text)
	}
	return rr, nil
}
