package namewarden

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

const (
	pathVerdicts   = "/api/v1/verdicts"
	pathGeneration = "/api/v1/generation"
	pathEvents     = "/api/v1/events"

	pollWait    = 25 * time.Second // of one look for another generation; the service allows 30
	pollGrace   = 5 * time.Second
	pollPause   = 50 * time.Millisecond // between two looks, whatever the service says
	retryFirst  = 50 * time.Millisecond
	retryMost   = time.Second
	connections = 8 // to one endpoint
)

var errDoubted = errors.New("the endpoint is looked at again")

// address is where a service listens, as the Corefile says it.
type address struct {
	text   string // unix:///path, https://host:port, http://127.0.0.1:8052
	socket string // path of a Unix socket, else ""
}

// parseAddress refuses what would send names in the clear to another machine.
func parseAddress(text string) (address, error) {
	parsed, err := url.Parse(text)
	if err != nil || parsed.RawQuery != "" || parsed.Fragment != "" || parsed.User != nil {
		return address{}, wrongAddress(text)
	}
	switch parsed.Scheme {
	case "unix":
		if parsed.Host != "" || !strings.HasPrefix(parsed.Path, "/") || parsed.Path == "/" {
			return address{}, fmt.Errorf("%q is not a Unix socket: expected unix:///path/of/the.sock", text)
		}
		return address{text, parsed.Path}, nil
	case "http", "https":
		if parsed.Hostname() == "" || strings.Trim(parsed.Path, "/") != "" {
			return address{}, wrongAddress(text)
		}
		if parsed.Scheme == "http" && !isLoopback(parsed.Hostname()) {
			return address{}, fmt.Errorf("%q: http:// is for a loopback address; expected https:// for another machine", text)
		}
		return address{parsed.Scheme + "://" + parsed.Host, ""}, nil
	}
	return address{}, wrongAddress(text)
}

func wrongAddress(text string) error {
	return fmt.Errorf("%q is not an endpoint: expected unix:///PATH, https://HOST:PORT or, on loopback, http://HOST:PORT", text)
}

func isLoopback(host string) bool {
	parsed, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && parsed.IsLoopback()
}

// base is the beginning of the address's URLs.
func (a address) base() string {
	if a.socket != "" {
		return "http://localhost"
	}
	return a.text
}

// client keeps connections to the address open. A redirect is an answer like others that are not 200: nobody leads our
// questions and tokens elsewhere.
func (a address) client(config *tls.Config) *http.Client {
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &http.Client{Transport: a.transport(config), CheckRedirect: stay}
}

func (a address) transport(config *tls.Config) *http.Transport {
	dialer := &net.Dialer{Timeout: 2 * time.Second, KeepAlive: 15 * time.Second}
	t := &http.Transport{
		DialContext:           dialer.DialContext,
		TLSClientConfig:       config,
		TLSHandshakeTimeout:   2 * time.Second,
		MaxIdleConnsPerHost:   connections,
		MaxConnsPerHost:       connections,
		IdleConnTimeout:       45 * time.Second, // before the service's 60, so that none is closed under a request
		ResponseHeaderTimeout: pollWait + pollGrace,
		DisableCompression:    true,
	}
	if a.socket != "" {
		t.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", a.socket)
		}
	}
	return t
}

// bearer is a token in a file. It is read again when it was refused: others may have changed it.
type bearer struct {
	path string
	text atomic.Pointer[string]
}

func newBearer(path string) (*bearer, error) {
	b := &bearer{path: path}
	return b, b.read()
}

func (b *bearer) read() error {
	if b.path == "" {
		return nil
	}
	data, err := os.ReadFile(b.path)
	if err != nil {
		return err
	}
	text := strings.TrimSpace(string(data))
	if text == "" || len(text) > maxText || strings.ContainsAny(text, "\r\n") {
		return fmt.Errorf("%s: expected one token", b.path)
	}
	b.text.Store(&text)
	return nil
}

func (b *bearer) sign(r *http.Request) {
	if token := b.text.Load(); token != nil {
		r.Header.Set("Authorization", "Bearer "+*token)
	}
}

// refusal is an answer that is not 200.
type refusal struct {
	status int
	text   string
}

func (r refusal) Error() string { return fmt.Sprintf("status %d %s", r.status, r.text) }

// endpoint is one verdict service: asked by the asker, watched by watch.
type endpoint struct {
	address    address
	client     *http.Client
	token      *bearer
	isUp       atomic.Bool
	generation atomic.Pointer[string] // nil while it is not known
	doubted    chan struct{}          // the asker met with a failure: look at once
}

func newEndpoint(a address, config *tls.Config, token *bearer) *endpoint {
	e := &endpoint{address: a, client: a.client(config), token: token, doubted: make(chan struct{}, 1)}
	e.isUp.Store(true) // until shown otherwise
	return e
}

// judge asks for all of these names at once.
func (e *endpoint) judge(ctx context.Context, asked []question) (*verdictResponse, error) {
	body, err := json.Marshal(verdictRequest{asked})
	if err != nil {
		return nil, err
	}
	data, err := e.call(ctx, http.MethodPost, pathVerdicts, body)
	if err != nil {
		return nil, err
	}
	return decodeVerdicts(data, asked)
}

// call gives the body of a 200. The request may be sent twice when a kept connection was closed: asking changes nothing.
func (e *endpoint) call(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, e.address.base()+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header["Idempotency-Key"] = nil // known to net/http, not sent
	e.token.sign(r)
	data, err := send(e.client, r)
	var refused refusal
	if errors.As(err, &refused) && refused.status == http.StatusUnauthorized {
		if problem := e.token.read(); problem != nil {
			return nil, errors.Join(err, problem)
		}
	}
	return data, err
}

// send gives the body of a 200, at most maxBody of it.
func send(client *http.Client, r *http.Request) ([]byte, error) {
	reply, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer reply.Body.Close()
	if reply.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(reply.Body, 200))
		return nil, refusal{reply.StatusCode, fmt.Sprintf("%.200q", text)}
	}
	data, err := io.ReadAll(io.LimitReader(reply.Body, maxBody+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxBody {
		return nil, fmt.Errorf("an answer of more than %d octets", maxBody)
	}
	return data, nil
}

// doubt makes the endpoint be looked at before it is asked again.
func (e *endpoint) doubt() {
	e.isUp.Store(false)
	select {
	case e.doubted <- struct{}{}:
	default:
	}
}

// watch follows the generation until ctx ends; changed is called with each new one.
func (e *endpoint) watch(ctx context.Context, changed func(), failed func(error)) {
	defer e.client.CloseIdleConnections()
	pause := retryFirst
	for ctx.Err() == nil {
		err := e.look(ctx, changed)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			e.isUp.Store(false)
			failed(err)
			pause = min(pause*2, retryMost)
		default:
			pause = pollPause
		}
		sleep(ctx, pause)
	}
}

// look asks for the generation: at once when the endpoint is not known to be up, else as soon as it is another. A doubt
// ends the wait: a service that is gone would not end it.
func (e *endpoint) look(ctx context.Context, changed func()) error {
	known, wait := e.generation.Load(), pollWait
	if known == nil || !e.isUp.Load() {
		wait = 0
		e.forgetDoubt()
	}
	ctx, cancel := context.WithTimeout(ctx, wait+pollGrace)
	defer cancel()
	ctx, doubt := context.WithCancelCause(ctx)
	defer doubt(nil)
	if wait > 0 {
		go e.endOnDoubt(ctx, doubt)
	}
	current, err := e.askGeneration(ctx, known, wait)
	if errors.Is(context.Cause(ctx), errDoubted) {
		return nil
	}
	if err != nil {
		return err
	}
	if known == nil || *known != current {
		e.generation.Store(&current)
		changed()
	}
	if wait == 0 {
		e.isUp.Store(true)
	}
	return nil
}

func (e *endpoint) forgetDoubt() {
	select {
	case <-e.doubted:
	default:
	}
}

func (e *endpoint) endOnDoubt(ctx context.Context, doubt context.CancelCauseFunc) {
	select {
	case <-e.doubted:
		doubt(errDoubted)
	case <-ctx.Done():
	}
}

func (e *endpoint) askGeneration(ctx context.Context, known *string, wait time.Duration) (string, error) {
	query := url.Values{"wait": {fmt.Sprint(int(wait.Seconds()))}}
	if known != nil {
		query.Set("known", *known)
	}
	data, err := e.call(ctx, http.MethodGet, pathGeneration+"?"+query.Encode(), nil)
	if err != nil {
		return "", err
	}
	return decodeGeneration(data)
}

func decodeGeneration(data []byte) (string, error) {
	var said struct {
		Generation string `json:"generation"`
	}
	if err := json.Unmarshal(data, &said); err != nil {
		return "", fmt.Errorf("not a generation: %w", err)
	}
	if said.Generation == "" || len(said.Generation) > maxText {
		return "", errors.New("not a generation")
	}
	return said.Generation, nil
}

func sleep(ctx context.Context, pause time.Duration) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
