package namewarden

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// hub takes batches for tests and says what it likes about them. What is in them the product's own hub judges, in
// tests/test_coredns.py.
type hub struct {
	server *httptest.Server

	mu      sync.Mutex
	batches [][]byte
	status  int
}

func newHub(t *testing.T) *hub {
	h := &hub{status: http.StatusOK}
	h.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.batches = append(h.batches, data)
		w.WriteHeader(h.status)
	}))
	t.Cleanup(h.server.Close)
	return h
}

func (h *hub) got() [][]byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.batches
}

func (h *hub) answers(status int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.status = status
}

func (h *hub) reporter() *reporter {
	r := newReporter(address{text: h.server.URL}, nil, new(bearer))
	r.start()
	return r
}

func named(name string) *sighting {
	is := &asked{name: name, qtype: dns.TypeA, at: time.Unix(1, 0)}
	return &sighting{said: &verdict{Action: actionAllow, Reason: reasonNone}, outcome: new(outcome), asked: is, client: "192.0.2.9"}
}

func TestEventsAreHandedOverWhenItEnds(t *testing.T) {
	h := newHub(t)
	r := h.reporter()
	for i := range 100 {
		r.add(named(fmt.Sprintf("n%d.test.", i)))
	}
	r.stop()
	got := h.got()
	if len(got) == 0 || !bytes.Contains(bytes.Join(got, nil), []byte("n0.test.\nn1.test.\n")) {
		t.Errorf("the hub got %q", got)
	}
}

func TestEventsAreTriedAgainWithTheSameOctets(t *testing.T) {
	h := newHub(t)
	h.answers(http.StatusServiceUnavailable)
	r := h.reporter()
	r.add(named("www.example.org."))
	until(t, func() bool { return len(h.got()) >= 2 })
	h.answers(http.StatusOK)
	r.stop()
	if got := h.got(); !bytes.Equal(got[0], got[1]) {
		t.Error("another message of the same sequence: the hub would store it twice")
	}
}

func TestWhatTheHubRefusesForGoodIsGivenUp(t *testing.T) {
	h := newHub(t)
	h.answers(http.StatusBadRequest)
	r := h.reporter()
	before := value(t, eventsRejected)
	r.add(named("www.example.org."))
	until(t, func() bool { return value(t, eventsRejected) == before+1 })
	h.answers(http.StatusOK)
	r.stop()
}

func TestAHubThatIsAwayCostsNothingButEvents(t *testing.T) {
	h := newHub(t)
	h.server.Close()
	r := newReporter(address{text: h.server.URL}, nil, new(bearer))
	begun := time.Now()
	for range queueMost + 10 {
		r.add(named("www.example.org."))
	}
	if passed := time.Since(begun); passed > time.Second {
		t.Errorf("queries waited %s", passed)
	}
	if dropped := r.dropped.Load(); dropped != 10 {
		t.Errorf("%d events were dropped", dropped)
	}
	gathered := newBatch()
	for i := range heldMost + 5 {
		r.gather(gathered, named(fmt.Sprint(i)).event())
	}
	if rows := len(gathered.counts); rows != heldMost || r.dropped.Load() != 15 {
		t.Errorf("%d rows are held, %d were dropped", rows, r.dropped.Load())
	}
}

func TestRepeatsOfASecondAreOneRow(t *testing.T) {
	b := newBatch()
	for range 5 {
		b.add(named("www.example.org.").event())
	}
	e := named("www.example.org.").event()
	e.time = time.Unix(2, 0)
	b.add(e)
	if fmt.Sprint(b.counts) != "[5 1]" || b.queries != 6 {
		t.Errorf("counts %v, queries %d", b.counts, b.queries)
	}
}

func TestALineBreakIsNoOtherLine(t *testing.T) {
	b := newBatch()
	e := named("a\nb.test.").event()
	e.rule = "x\xff"
	b.add(e)
	if b.texts[1].String() != `a\010b.test.` || b.texts[2].String() != "x?" {
		t.Errorf("%q %q", b.texts[1].String(), b.texts[2].String())
	}
}

func TestWordsOfEvents(t *testing.T) {
	if got := typeName(65280); got != "TYPE65280" {
		t.Error(got)
	}
	for rcode, want := range map[int]string{dns.RcodeNameError: "NXDOMAIN", 77: "RCODE77"} {
		if got := rcodeName(rcode); got != want {
			t.Errorf("%d is %s, expected %s", rcode, got, want)
		}
	}
}
