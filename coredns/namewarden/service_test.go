package namewarden

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// service speaks the verdict API for tests: what it says can be anything, what a real one never says, too.
type service struct {
	t      *testing.T
	server *httptest.Server

	mu         sync.Mutex
	generation string
	changed    chan struct{}
	asked      [][]question // each request's
	waits      int          // looks for another generation
	judge      func(question) map[string]any
	answer     http.HandlerFunc // in place of verdicts
	look       http.HandlerFunc // in place of the generation
	header     http.Header      // of the last request
}

func newService(t *testing.T) *service {
	s := &service{t: t, generation: "g1", changed: make(chan struct{}), judge: func(question) map[string]any { return nil }}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+pathVerdicts, s.verdicts)
	mux.HandleFunc("GET "+pathGeneration, s.wait)
	s.server = httptest.NewServer(mux)
	t.Cleanup(func() {
		s.change("end")
		s.server.CloseClientConnections()
		s.server.Close()
	})
	return s
}

// says makes all later verdicts; what is left out is that of a name nobody spoke about.
func (s *service) says(judge func(question) map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.judge = judge
}

func (s *service) instead(answer http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

func (s *service) change(generation string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.generation = generation
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *service) requests() [][]question {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

func (s *service) questions() []question {
	return slices.Concat(s.requests()...)
}

func (s *service) verdicts(w http.ResponseWriter, r *http.Request) {
	var body verdictRequest
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		s.t.Error(err)
	}
	s.mu.Lock()
	s.asked = append(s.asked, body.Queries)
	s.header = r.Header
	judge, generation, answer := s.judge, s.generation, s.answer
	s.mu.Unlock()
	if answer != nil {
		answer(w, r)
		return
	}
	said := make([]map[string]any, 0, len(body.Queries))
	for _, q := range body.Queries {
		said = append(said, fill(q.Name, judge(q)))
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"verdicts": said, "generation": generation})
}

func fill(name string, said map[string]any) map[string]any {
	whole := map[string]any{"id": "r-1", "name": name, "action": "allow", "reason": "none", "rule": "", "family": "", "score": nil,
		"band": "", "model": "", "shadow": "", "answer": nil, "ttl": 10, "group": "default", "scope": "s"}
	for field, value := range said {
		whole[field] = value
	}
	return whole
}

func (s *service) wait(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.waits++
	generation, changed, look := s.generation, s.changed, s.look
	s.mu.Unlock()
	if look != nil {
		look(w, r)
		return
	}
	seconds, _ := strconv.Atoi(r.URL.Query().Get("wait"))
	if r.URL.Query().Get("known") == generation {
		select {
		case <-changed:
		case <-time.After(time.Duration(seconds) * time.Second):
		case <-r.Context().Done():
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = json.NewEncoder(w).Encode(map[string]any{"generation": s.generation})
}

// denied is a block in mode null.
func denied(more map[string]any) map[string]any {
	answer := map[string]any{"mode": "null", "addresses": []string{}, "records": []any{}, "ttl": 10, "ede": []any{[]any{15, "list_deny malware"}}}
	for field, value := range more {
		answer[field] = value
	}
	return map[string]any{"action": "block", "reason": "list_deny", "rule": "malware:1 x", "answer": answer}
}

// wardenFor asks these services; it has looked at their generation.
func wardenFor(t *testing.T, change func(*config), services ...*service) *warden {
	c := &config{timeout: 500 * time.Millisecond, cacheSize: 1000, token: new(bearer)}
	for _, each := range services {
		c.endpoints = append(c.endpoints, address{text: each.server.URL})
	}
	if change != nil {
		change(c)
	}
	w := newWarden(c)
	t.Cleanup(func() { _ = w.stop() })
	w.start()
	for _, e := range w.endpoints {
		until(t, func() bool { return e.generation.Load() != nil || !e.isUp.Load() })
	}
	return w
}

func until(t *testing.T, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it did not come to hold within 5 s")
		}
	}
}
