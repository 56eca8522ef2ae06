package namewarden

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	queueMost   = 32768                 // events between the queries and the reporter
	rowsMost    = 32768                 // of one batch
	heldMost    = 65536                 // rows while the hub is away; beyond it they are dropped and counted
	octetsMost  = 8 << 20               // of one batch's texts; the hub takes 32 MiB
	gatherPause = 50 * time.Millisecond // between two looks into the queue
	flushPause  = 700 * time.Millisecond
	heartbeat   = 5 * time.Second // a batch goes out though nothing happened
	eventsGrace = 2 * time.Second // for the last batch
	hubPatience = 30 * time.Second
)

// final are refusals of what would be refused again.
var final = []int{http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity}

// reporter carries events to the hub in the background: at least once each, in bounded memory. Queries never wait for it.
type reporter struct {
	address  address
	client   *http.Client
	token    *bearer
	identity string
	mu       sync.Mutex
	queue    []*sighting
	ending   chan struct{}
	ended    chan struct{}
	isBegun  atomic.Bool
	dropped  atomic.Uint64
	rejected uint64
	sequence uint64
	first    uint64 // number of the next event
	told     uint64 // of dropped
	trouble  complaint
}

func newReporter(to address, config *tls.Config, token *bearer) *reporter {
	name := make([]byte, 8)
	_, _ = rand.Read(name) // never fails
	return &reporter{
		address: to, client: to.client(config), token: token,
		identity: hex.EncodeToString(name), ending: make(chan struct{}), ended: make(chan struct{}),
	}
}

// add keeps the event or counts it as dropped. Nobody is woken: that would cost more.
func (r *reporter) add(s *sighting) {
	r.mu.Lock()
	isFull := len(r.queue) >= queueMost
	if !isFull {
		r.queue = append(r.queue, s)
	}
	r.mu.Unlock()
	if isFull {
		r.drop(1)
	}
}

// take gives what is there, and the room of what was taken before for what comes.
func (r *reporter) take(room []*sighting) []*sighting {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := r.queue
	r.queue = room[:0]
	return taken
}

func (r *reporter) drop(count uint64) {
	r.dropped.Add(count)
	eventsDropped.Add(float64(count))
}

func (r *reporter) start() {
	r.isBegun.Store(true)
	go r.run()
}

// stop sends what is there within eventsGrace.
func (r *reporter) stop() {
	close(r.ending)
	if r.isBegun.Load() {
		<-r.ended
	}
}

// run gathers while one batch is on its way.
func (r *reporter) run() {
	defer close(r.ended)
	defer r.client.CloseIdleConnections()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	gathered, sent := newBatch(), time.Now()
	var room []*sighting
	drain := func() {
		taken := r.take(room)
		for _, each := range taken {
			r.gather(gathered, each.event())
		}
		clear(taken)
		room = taken
	}
	ticks := time.NewTicker(gatherPause)
	defer ticks.Stop()
	var delivered chan struct{} // nil while nothing is on its way
	deliver := func(isLast bool) {
		message, queries := r.seal(gathered, isLast)
		gathered, sent, delivered = newBatch(), time.Now(), make(chan struct{})
		go r.deliver(ctx, message, queries, delivered)
	}
	for {
		select {
		case <-ticks.C:
			drain()
			age := time.Since(sent)
			isDue := gathered.isFull() || age >= heartbeat || age >= flushPause && !gathered.isEmpty()
			if isDue && delivered == nil {
				deliver(false)
			}
		case <-delivered:
			delivered = nil
		case <-r.ending:
			time.AfterFunc(eventsGrace, cancel)
			drain()
			if delivered != nil {
				<-delivered
			}
			deliver(true)
			<-delivered
			return
		}
	}
}

func (r *reporter) gather(gathered *batch, e *event) {
	if len(gathered.counts) >= heldMost || gathered.octets >= 2*octetsMost {
		r.drop(1)
		return
	}
	gathered.add(e)
}

func (r *reporter) seal(gathered *batch, isLast bool) (message []byte, queries uint64) {
	dropped := r.dropped.Load()
	r.sequence++
	message = gathered.toWire(head{
		run: r.identity, sequence: r.sequence, first: r.first, dropped: dropped - r.told,
		counters: map[string]uint64{"events_dropped": dropped, "events_rejected": r.rejected},
		waiting:  len(gathered.counts), isLast: isLast,
	})
	r.told = dropped
	r.first += uint64(len(gathered.counts))
	return message, gathered.queries
}

// deliver tries until the hub has the message, has refused it for good, or ctx ends.
func (r *reporter) deliver(ctx context.Context, message []byte, queries uint64, delivered chan<- struct{}) {
	defer close(delivered)
	for pause := retryFirst; ; pause = min(2*pause, 2*retryMost) {
		err := r.post(ctx, message)
		var refused refusal
		switch {
		case err == nil:
			eventsSent.Add(float64(queries))
			return
		case errors.As(err, &refused) && slices.Contains(final, refused.status):
			r.rejected += queries
			eventsRejected.Add(float64(queries))
			r.trouble.say(r.address.text, err)
			return
		case ctx.Err() != nil:
			r.drop(queries)
			return
		}
		r.trouble.say(r.address.text, err)
		sleep(ctx, pause)
	}
}

func (r *reporter) post(ctx context.Context, message []byte) error {
	ctx, cancel := context.WithTimeout(ctx, hubPatience)
	defer cancel()
	post, err := http.NewRequestWithContext(ctx, http.MethodPost, r.address.base()+pathEvents, bytes.NewReader(message))
	if err != nil {
		return err
	}
	post.Header.Set("Content-Type", "application/msgpack")
	post.Header["Idempotency-Key"] = nil // known to net/http, not sent: run and sequence name the batch
	r.token.sign(post)
	_, err = send(r.client, post)
	var refused refusal
	if errors.As(err, &refused) && refused.status == http.StatusUnauthorized {
		return errors.Join(err, r.token.read())
	}
	return err
}
