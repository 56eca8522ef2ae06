package namewarden

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

func (w *warden) askFor(t *testing.T, name, client string) (*verdict, error) {
	return w.asker.ask(&query{ctx: t.Context(), name: name, qtype: 1, client: client}, nil)
}

func TestTheSameNameIsAskedOnce(t *testing.T) {
	s := newService(t)
	release := make(chan struct{})
	s.says(func(question) map[string]any { <-release; return nil })
	w := wardenFor(t, nil, s)
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			if _, err := w.askFor(t, "www.example.org.", "192.0.2.9"); err != nil {
				t.Error(err)
			}
		})
	}
	until(t, func() bool { return len(s.questions()) > 0 })
	close(release)
	all.Wait()
	if asked := s.questions(); len(asked) != 1 {
		t.Errorf("asked %d times", len(asked))
	}
	if _, err := w.askFor(t, "www.example.org.", "192.0.2.9"); err != nil || len(s.questions()) != 1 {
		t.Error("what is known was asked again")
	}
}

func TestWhatComesMeanwhileIsGathered(t *testing.T) {
	s := newService(t)
	release := make(chan struct{})
	s.says(func(question) map[string]any { <-release; return nil })
	w := wardenFor(t, func(c *config) { c.timeout = 5 * time.Second }, s)
	var all sync.WaitGroup
	ask := func(name string) {
		all.Go(func() {
			if _, err := w.askFor(t, name, "192.0.2.9"); err != nil {
				t.Error(err)
			}
		})
	}
	for i := range requestsMost {
		ask(fmt.Sprintf("first%d.test.", i))
		until(t, func() bool { return len(s.requests()) == i+1 })
	}
	for i := range 300 {
		ask(fmt.Sprintf("then%d.test.", i))
	}
	until(t, func() bool {
		w.asker.mu.Lock()
		defer w.asker.mu.Unlock()
		return len(w.asker.waiting) == 300
	})
	close(release)
	all.Wait()
	if requests := len(s.requests()); requests > requestsMost+4 {
		t.Errorf("300 names came in %d requests", requests-requestsMost)
	}
}

func TestARequestIsBoundedInOctets(t *testing.T) {
	long := strings.Repeat("x", 250)
	answer := &givenAnswer{Names: slices.Repeat([]string{long}, answerMost), Targets: slices.Repeat([]string{long}, answerMost)}
	var waiting []*call
	for range batchMost {
		waiting = append(waiting, &call{question: question{Name: long, Answer: answer}})
	}
	if size := fitting(waiting); size == 0 || size*64*1024 > 1<<20 {
		t.Errorf("%d questions of 64 KB in one request", size)
	}
	if fitting(waiting[:1]) != 1 {
		t.Error("one question does not fit")
	}
}

func TestAnotherGenerationForgetsAll(t *testing.T) {
	s := newService(t)
	w := wardenFor(t, nil, s)
	ask := func() string {
		said, err := w.askFor(t, "www.example.org.", "192.0.2.9")
		if err != nil {
			t.Fatal(err)
		}
		return said.Action
	}
	ask()
	s.says(func(question) map[string]any { return denied(nil) })
	if ask() != actionAllow {
		t.Error("what is kept was asked again before its time")
	}
	begun := time.Now()
	s.change("g2")
	until(t, func() bool { return ask() == actionBlock })
	if passed := time.Since(begun); passed > time.Second {
		t.Errorf("the decision came after %s", passed)
	}
}

func TestAVerdictOfAnotherGenerationIsNotKept(t *testing.T) {
	s := newService(t)
	s.mu.Lock()
	s.look = func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(`{"generation": "other"}`)) }
	s.mu.Unlock()
	w := wardenFor(t, nil, s)
	for range 2 {
		if _, err := w.askFor(t, "www.example.org.", "192.0.2.9"); err != nil {
			t.Fatal(err)
		}
	}
	if asked := s.questions(); len(asked) != 2 {
		t.Errorf("asked %d times", len(asked))
	}
}

func TestVerdictsAreKeptForTheirTimeAndScope(t *testing.T) {
	s := newService(t)
	w := wardenFor(t, nil, s)
	for _, each := range []struct {
		said   map[string]any
		asked  int // of three queries, the last by another client
		reason string
	}{
		{map[string]any{"scope": "all"}, 2, "the other client's scope was not known"},
		{map[string]any{"scope": ""}, 2, "the verdict is the client's own"},
		{map[string]any{"ttl": 0}, 3, "it is not to be kept"},
	} {
		s.says(func(question) map[string]any { return each.said })
		before := len(s.questions())
		w.cache.forget()
		for _, client := range []string{"192.0.2.1", "192.0.2.1", "192.0.2.2"} {
			if _, err := w.askFor(t, "www.example.org.", client); err != nil {
				t.Fatal(err)
			}
		}
		if asked := len(s.questions()) - before; asked != each.asked {
			t.Errorf("%v: asked %d times, expected %d: %s", each.said, asked, each.asked, each.reason)
		}
	}
	s.says(func(question) map[string]any { return map[string]any{"scope": "all"} })
	w.cache.forget()
	for _, name := range []string{"a.test.", "b.test."} {
		for _, client := range []string{"192.0.2.1", "192.0.2.2"} {
			_, _ = w.askFor(t, name, client)
		}
	}
	if asked := s.questions(); asked[len(asked)-1].Name != "b.test." || asked[len(asked)-2].Name == "b.test." {
		t.Error("clients of one scope do not share a verdict")
	}
}

func TestTheCacheIsBounded(t *testing.T) {
	kept := newCache(smallestCache * 4)
	for i := range 10_000 {
		kept.put(key{name: fmt.Sprint(i)}, fmt.Sprint(i), &verdict{TTL: 10, Scope: "s"}, 0, time.Now())
	}
	if size := kept.size(); size > smallestCache*4 || size < smallestCache*3 {
		t.Errorf("%d entries", size)
	}
	if clients := kept.scopes.size(); clients > smallestCache*4 {
		t.Errorf("%d clients", clients)
	}
	now := time.Now()
	kept.put(key{name: "x"}, "c", &verdict{TTL: 10, Scope: "s"}, 0, now)
	k := key{name: "x"}
	if kept.get(k, "c", now.Add(9*time.Second)) == nil || kept.get(k, "c", now.Add(10*time.Second)) != nil {
		t.Error("a verdict is not kept for its time")
	}
}

// hostile is what an endpoint may say instead of verdicts.
func hostile() map[string]http.HandlerFunc {
	text := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	ok := `{"id":"r","name":"www.example.org.","action":"allow","reason":"none","rule":"","family":"","score":null,"band":"","model":"","shadow":"","answer":null,"ttl":10}`
	with := func(old, changed string) http.HandlerFunc {
		return text(200, `{"generation":"g1","verdicts":[`+strings.Replace(ok, old, changed, 1)+`]}`)
	}
	answered := func(answer string) http.HandlerFunc {
		return with(`"allow","reason":"none","rule":"","family":"","score":null,"band":"","model":"","shadow":"","answer":null`, `"block","reason":"list_deny","answer":`+answer)
	}
	return map[string]http.HandlerFunc{
		"an error page": text(500, "<html><h1>Internal Server Error</h1></html>"),
		"a page":        text(200, "<html>welcome to the hotel</html>"),
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
		},
		"nothing":                 text(200, ""),
		"a half":                  text(200, `{"generation":"g1","verdicts":[{"id":`),
		"null":                    text(200, "null"),
		"a null verdict":          text(200, `{"generation":"g1","verdicts":[null]}`),
		"too few":                 text(200, `{"generation":"g1","verdicts":[]}`),
		"too many":                text(200, `{"generation":"g1","verdicts":[`+ok+`,`+ok+`]}`),
		"no generation":           text(200, `{"verdicts":[`+ok+`]}`),
		"10 MB":                   text(200, `{"generation":"g1","verdicts":[`+ok+`], "x":"`+strings.Repeat("x", 10<<20)+`"}`),
		"another name":            with("www.example.org.", "example.net."),
		"an unknown action":       with(`"allow"`, `"explode"`),
		"an unknown shadow":       with(`"shadow":""`, `"shadow":"explode"`),
		"no reason":               with(`"none"`, `""`),
		"a time below nothing":    with(`"ttl":10`, `"ttl":-1`),
		"a time that is a text":   with(`"ttl":10`, `"ttl":"10"`),
		"a rule that is huge":     with(`"rule":""`, `"rule":"`+strings.Repeat("x", 1<<20)+`"`),
		"a block without answer":  with(`"allow"`, `"block"`),
		"an unknown mode":         answered(`{"mode":"explode"}`),
		"an address that is none": answered(`{"mode":"ip","addresses":["192.0.2.1.1"]}`),
		"a record that is none":   answered(`{"mode":"data","records":[["A",60,"x"]]}`),
		"a record of many lines":  answered(`{"mode":"data","records":[["TXT",60,"a\n$INCLUDE /etc/passwd"]]}`),
		"a type that is none":     answered(`{"mode":"data","records":[["$INCLUDE",60,"/etc/passwd"]]}`),
		"half a record":           answered(`{"mode":"data","records":[["A",60]]}`),
		"an EDE that is none":     answered(`{"mode":"null","ede":[["15",""]]}`),
		"a close":                 func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) },
		"a close in the middle": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte(`{"generation":"g1","verd`))
			panic(http.ErrAbortHandler)
		},
		"silence": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"a trickle": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				_, _ = w.Write([]byte(" "))
				_ = http.NewResponseController(w).Flush()
				time.Sleep(5 * time.Millisecond)
			}
		},
	}
}

func TestHostileEndpoints(t *testing.T) {
	for name, answer := range hostile() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newService(t)
			s.instead(answer)
			w := wardenFor(t, func(c *config) { c.timeout = 60 * time.Millisecond }, s)
			counter := requestFailuresTotal.WithLabelValues(s.server.URL)
			begun := time.Now()
			if said, err := w.askFor(t, "www.example.org.", "192.0.2.9"); err == nil {
				t.Errorf("took %+v for a verdict", said)
			}
			if passed := time.Since(begun); passed > time.Second {
				t.Errorf("the query waited %s", passed)
			}
			until(t, func() bool { return value(t, counter) > 0 })
			if w.cache.size() != 0 {
				t.Error("it was kept")
			}
			s.instead(nil) // and when it comes to its senses it is asked again
			until(t, func() bool {
				_, err := w.askFor(t, "www.example.org.", "192.0.2.9")
				return err == nil
			})
		})
	}
}

func TestAnEndpointThatLiesAboutTheGenerationIsAskedNothing(t *testing.T) {
	for _, body := range []string{"", "<html>", "null", `{"generation": 7}`, `{"generation": ""}`, `{"generation": "` + strings.Repeat("x", 5000) + `"}`} {
		s := newService(t)
		s.mu.Lock()
		s.look = func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }
		s.mu.Unlock()
		w := wardenFor(t, nil, s)
		if _, err := w.askFor(t, "www.example.org.", "192.0.2.9"); !errors.Is(err, errAway) {
			t.Errorf("%.40q: %v", body, err)
		}
	}
}

func TestTheNextEndpointIsAskedWhenOneIsAway(t *testing.T) {
	s := newService(t)
	gone := newService(t)
	gone.server.Close()
	w := wardenFor(t, nil, gone, s)
	for i := range 3 {
		if _, err := w.askFor(t, fmt.Sprintf("n%d.test.", i), "192.0.2.9"); err != nil {
			t.Error(err)
		}
	}
	if _, err := wardenFor(t, nil, gone).askFor(t, "n.test.", "192.0.2.9"); !errors.Is(err, errAway) {
		t.Errorf("with nobody there: %v", err)
	}
}

func TestTooManyThatWait(t *testing.T) {
	s := newService(t)
	s.instead(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	w := wardenFor(t, func(c *config) { c.timeout = 10 * time.Second }, s)
	for i := range waitingMost + requestsMost*batchMost + 10 {
		k := key{name: fmt.Sprint(i)}
		if _, err := w.asker.join(k, question{Name: fmt.Sprint(i)}); err != nil {
			if !errors.Is(err, errTooMany) || i < waitingMost {
				t.Errorf("after %d names: %v", i, err)
			}
			return
		}
	}
	t.Error("any number may wait")
}

func TestComplaintsAreSeldom(t *testing.T) {
	var c complaint
	now := time.Now()
	if _, isDue := c.due(now); !isDue {
		t.Error("the first is not said")
	}
	for range 1000 {
		if _, isDue := c.due(now.Add(logPause - 1)); isDue {
			t.Fatal("said again within a minute")
		}
	}
	if more, isDue := c.due(now.Add(logPause)); !isDue || more != 1000 {
		t.Errorf("after a minute: %t, %d", isDue, more)
	}
}

func TestTheTokenIsReadAgainWhenItIsRefused(t *testing.T) {
	path := t.TempDir() + "/token"
	write(t, path, "old\n")
	token, err := newBearer(path)
	if err != nil {
		t.Fatal(err)
	}
	s := newService(t)
	s.instead(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer new" {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		s.instead(nil)
		http.Error(w, "again", http.StatusTooManyRequests)
	})
	w := wardenFor(t, func(c *config) { c.token = token }, s)
	_, _ = w.askFor(t, "www.example.org.", "192.0.2.9")
	write(t, path, "new\n")
	until(t, func() bool {
		_, err := w.askFor(t, "www.example.org.", "192.0.2.9")
		return err == nil
	})
}

func value(t *testing.T, counter prometheus.Counter) float64 {
	var read dto.Metric
	if err := counter.Write(&read); err != nil {
		t.Fatal(err)
	}
	return read.GetCounter().GetValue()
}

func TestARedirectIsNotFollowed(t *testing.T) {
	elsewhere, s := newService(t), newService(t)
	s.instead(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.server.URL+pathVerdicts, http.StatusTemporaryRedirect)
	})
	w := wardenFor(t, nil, s)
	if said, err := w.askFor(t, "www.example.org.", "192.0.2.9"); err == nil || len(elsewhere.questions()) != 0 {
		t.Errorf("said %+v, asked elsewhere %+v", said, elsewhere.questions())
	}
}
