package namewarden

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"
)

const (
	batchMost    = 128       // names of one request: the service judges so many side by side
	batchOctets  = 512 << 10 // of one request: the service takes twice as many
	requestsMost = 4         // requests on their way: what comes meanwhile is gathered
	waitingMost  = 8192      // names that wait for a request
)

var (
	errAway    = errors.New("no verdict service answers")
	errLate    = errors.New("no verdict in time")
	errTooMany = errors.New("too many names wait for a verdict")
	errStopped = errors.New("the server is stopping")
)

// call is one question on its way, and all that wait for it.
type call struct {
	key      key
	question question
	epoch    uint64
	done     chan struct{} // closed when verdict or err is there
	verdict  *verdict
	err      error
}

// settled is the done of what was known when it was asked for.
var settled = func() chan struct{} {
	done := make(chan struct{})
	close(done)
	return done
}()

// asker gathers questions into requests. The first goes at once; what is asked while requestsMost are on their way goes
// together with the next. A question that is asked already is not asked again.
type asker struct {
	endpoints []*endpoint
	cache     *cache
	timeout   time.Duration // that a query waits
	failed    func(*endpoint, error)

	mu       sync.Mutex
	calls    map[key]*call
	waiting  []*call
	requests int
	stopped  bool
	running  sync.WaitGroup
	ctx      context.Context
	cancel   context.CancelFunc
}

func newAsker(endpoints []*endpoint, kept *cache, timeout time.Duration, failed func(*endpoint, error)) *asker {
	ctx, cancel := context.WithCancel(context.Background())
	return &asker{
		endpoints: endpoints, cache: kept, timeout: timeout, failed: failed,
		calls: make(map[key]*call), ctx: ctx, cancel: cancel,
	}
}

// stop ends what is on its way and waits for it.
func (a *asker) stop() {
	a.mu.Lock()
	a.stopped = true
	a.mu.Unlock()
	a.cancel()
	a.running.Wait()
}

// ask gives the verdict on a name, or on where its answer leads, from memory or from a service.
func (a *asker) ask(q *query, found *leads) (*verdict, error) {
	k := key{name: q.name, qtype: q.qtype}
	if found != nil {
		k.answer = found.key()
	}
	if known := a.cache.get(k, q.client, time.Now()); known != nil {
		cacheHits.Inc()
		return known, nil
	}
	cacheMisses.Inc()
	asked := question{Name: q.name, QType: q.qtype, Client: q.client}
	if found != nil {
		asked.Answer = found.given()
	}
	return a.await(q.ctx, k, asked)
}

func (a *asker) await(ctx context.Context, k key, asked question) (*verdict, error) {
	c, err := a.join(k, asked)
	if err != nil {
		return nil, err
	}
	timer := time.NewTimer(a.timeout)
	defer timer.Stop()
	select {
	case <-c.done:
		return c.verdict, c.err
	case <-timer.C:
		return nil, errLate
	case <-ctx.Done():
		return nil, errLate
	}
}

// join finds the call that asks this already, or begins one. One that was settled meanwhile has left its verdict.
func (a *asker) join(k key, q question) (*call, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if known := a.cache.get(k, q.Client, time.Now()); known != nil {
		return &call{verdict: known, done: settled}, nil
	}
	k.scope = a.cache.scopeOf(q.Client)
	if c, ok := a.calls[k]; ok {
		return c, nil
	}
	if a.stopped {
		return nil, errStopped
	}
	if len(a.waiting) >= waitingMost {
		return nil, errTooMany
	}
	if !a.isAnyUp() {
		return nil, errAway
	}
	c := &call{key: k, question: q, epoch: a.cache.epoch.Load(), done: make(chan struct{})}
	a.calls[k] = c
	a.waiting = append(a.waiting, c)
	if a.requests < requestsMost {
		a.requests++
		a.running.Go(a.work)
	}
	return c, nil
}

func (a *asker) isAnyUp() bool {
	for _, e := range a.endpoints {
		if e.isUp.Load() {
			return true
		}
	}
	return false
}

// isAnyReady says whether an endpoint has answered.
func (a *asker) isAnyReady() bool {
	for _, e := range a.endpoints {
		if e.isUp.Load() && e.generation.Load() != nil {
			return true
		}
	}
	return false
}

// work sends what waits until nothing does.
func (a *asker) work() {
	for {
		batch := a.take()
		if batch == nil {
			return
		}
		said, err := a.send(batch)
		a.settle(batch, said, err)
	}
}

func (a *asker) take() []*call {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.waiting) == 0 {
		a.requests--
		return nil
	}
	size := fitting(a.waiting)
	batch := a.waiting[:size:size]
	a.waiting = a.waiting[size:]
	if len(a.waiting) == 0 {
		a.waiting = nil
	}
	return batch
}

// fitting is how many of these one request takes; never 0.
func fitting(waiting []*call) int {
	octets := 0
	for i, c := range waiting[:min(len(waiting), batchMost)] {
		octets += c.question.size()
		if i > 0 && octets > batchOctets {
			return i
		}
	}
	return min(len(waiting), batchMost)
}

// send asks the endpoints that are up, in the order of the Corefile, until one answers.
func (a *asker) send(batch []*call) (*verdictResponse, error) {
	questions := make([]question, len(batch))
	for i, c := range batch {
		questions[i] = c.question
	}
	err := errAway
	for _, e := range a.endpoints {
		if !e.isUp.Load() {
			continue
		}
		var said *verdictResponse
		if said, err = a.sendTo(e, questions); err == nil {
			return said, nil
		}
		if a.ctx.Err() != nil {
			return nil, errStopped
		}
		a.failed(e, err)
	}
	return nil, err
}

// sendTo gives an endpoint longer than a query waits: what is late still serves the next that asks.
func (a *asker) sendTo(e *endpoint, questions []question) (*verdictResponse, error) {
	ctx, cancel := context.WithTimeout(a.ctx, max(4*a.timeout, 100*time.Millisecond))
	defer cancel()
	start := time.Now()
	said, err := e.judge(ctx, questions)
	requestDuration.WithLabelValues(e.address.text).Observe(time.Since(start).Seconds())
	batchSize.Observe(float64(len(questions)))
	if err != nil {
		a.suspect(e, err)
		return nil, err
	}
	if known := e.generation.Load(); known == nil || *known != said.Generation {
		said.Generation = "" // of another policy than the one that is watched: used once, not kept
	}
	return said, nil
}

// suspect looks at the endpoint before it is asked again. One that refuses this request alone stays.
func (a *asker) suspect(e *endpoint, err error) {
	var refused refusal
	if errors.As(err, &refused) && (refused.status == http.StatusBadRequest || refused.status == http.StatusTooManyRequests) {
		return
	}
	if a.ctx.Err() == nil {
		e.doubt()
	}
}

func (a *asker) settle(batch []*call, said *verdictResponse, err error) {
	now := time.Now()
	for i, c := range batch {
		if err != nil {
			c.err = err
			continue
		}
		c.verdict = said.Verdicts[i]
		if said.Generation != "" {
			a.cache.put(c.key, c.question.Client, c.verdict, c.epoch, now)
		}
	}
	a.mu.Lock()
	for _, c := range batch {
		delete(a.calls, c.key)
	}
	a.mu.Unlock()
	for _, c := range batch {
		close(c.done)
	}
}
