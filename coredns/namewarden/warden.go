package namewarden

import (
	"context"
	"sync"
	"time"

	clog "github.com/coredns/coredns/plugin/pkg/log"
)

var log = clog.NewWithPlugin(pluginName)

const logPause = time.Minute // between two lines about one endpoint

// warden asks and reports for all servers of one block. It begins with the first query or look at its readiness: a
// configuration that is given up while it is loaded has then begun nothing.
type warden struct {
	isClosed  bool // without a verdict SERVFAIL
	isShadow  bool // denials are told, and not answered
	cache     *cache
	asker     *asker
	reporter  *reporter // nil: no events
	endpoints []*endpoint

	once     sync.Once
	ctx      context.Context
	cancel   context.CancelFunc
	running  sync.WaitGroup
	troubles map[*endpoint]*complaint
}

func newWarden(c *config) *warden {
	w := &warden{
		isClosed: c.isClosed, isShadow: c.isShadow, cache: newCache(c.cacheSize),
		troubles: make(map[*endpoint]*complaint),
	}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	for _, address := range c.endpoints {
		e := newEndpoint(address, c.tls, c.token)
		w.endpoints = append(w.endpoints, e)
		w.troubles[e] = new(complaint)
	}
	w.asker = newAsker(w.endpoints, w.cache, c.timeout, w.failed)
	if c.events != nil {
		w.reporter = newReporter(*c.events, c.tls, c.token)
	}
	return w
}

func (w *warden) start() {
	w.once.Do(func() {
		for _, e := range w.endpoints {
			w.running.Go(func() {
				e.watch(w.ctx, w.cache.forget, func(err error) { w.failed(e, err) })
			})
		}
		w.running.Go(func() { w.count(w.ctx) })
		if w.reporter != nil {
			w.reporter.start()
		}
	})
}

// stop ends all that start began, and hands the last events over.
func (w *warden) stop() error {
	w.once.Do(func() {}) // nothing begins any more
	w.cancel()
	w.asker.stop()
	if w.reporter != nil {
		w.reporter.stop()
	}
	w.running.Wait()
	for _, e := range w.endpoints {
		e.client.CloseIdleConnections()
	}
	return nil
}

// count shows how full the cache is.
func (w *warden) count(ctx context.Context) {
	gauge := cacheEntries.WithLabelValues(w.endpoints[0].address.text)
	for ctx.Err() == nil {
		gauge.Set(float64(w.cache.size()))
		sleep(ctx, 5*time.Second)
	}
	gauge.Set(0)
}

func (w *warden) failed(e *endpoint, err error) {
	requestFailuresTotal.WithLabelValues(e.address.text).Inc()
	w.troubles[e].say(e.address.text, err)
}

// complaint says what went wrong, at most once in a logPause.
type complaint struct {
	mu   sync.Mutex
	next time.Time
	more int // that were not said
}

func (c *complaint) say(of string, err error) {
	if more, isDue := c.due(time.Now()); isDue {
		log.Warningf("%s: %v (and %d failures since the last such line)", of, err, more)
	}
}

// due counts a failure, and says whether a line is due and how many had none.
func (c *complaint) due(now time.Time) (more int, isDue bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Before(c.next) {
		c.more++
		return 0, false
	}
	more, c.more, c.next = c.more, 0, now.Add(logPause)
	return more, true
}
