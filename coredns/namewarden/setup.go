package namewarden

import (
	"crypto/tls"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	pkgtls "github.com/coredns/coredns/plugin/pkg/tls"
)

func init() { plugin.Register(pluginName, setup) }

const (
	defaultTimeout = 50 * time.Millisecond
	longestTimeout = 10 * time.Second
	defaultCache   = 65536
	smallestCache  = 64
	largestCache   = 10_000_000
	endpointsMost  = 15
	hubPort        = "8050" // of a hub beside its resolver (docs/settings.md)
	hubSocket      = "hub.sock"
)

// config is one block of the Corefile.
type config struct {
	endpoints []address
	timeout   time.Duration
	isClosed  bool
	isShadow  bool
	cacheSize int
	token     *bearer
	tls       *tls.Config
	events    *address // nil: none are reported
}

func setup(c *caddy.Controller) error {
	shared, err := wardenOf(c)
	if err != nil {
		return plugin.Error(pluginName, err)
	}
	server := dnsserver.GetConfig(c)
	server.AddPlugin(func(next plugin.Handler) plugin.Handler {
		return &Namewarden{Next: next, warden: shared}
	})
	// Before all others, so that it sees the question before rewrite does. The last is built first: who is below is known.
	outermost := func(next plugin.Handler) plugin.Handler {
		if server.Handler("rewrite") == nil {
			return next
		}
		return remember{next}
	}
	server.Plugin = append([]plugin.Plugin{outermost}, server.Plugin...)
	return nil
}

// wardenOf is made for the first server of a block; the others get the same.
func wardenOf(c *caddy.Controller) (*warden, error) {
	if shared, ok := c.ServerBlockStorage.(*warden); ok {
		return shared, nil
	}
	parsed, err := parse(c)
	if err != nil {
		return nil, err
	}
	made := newWarden(parsed)
	c.ServerBlockStorage = made
	c.OnShutdown(made.stop)
	return made, nil
}

func parse(c *caddy.Controller) (*config, error) {
	parsed := &config{timeout: defaultTimeout, cacheSize: defaultCache, token: new(bearer)}
	for i := 0; c.Next(); i++ {
		if i > 0 {
			return nil, plugin.ErrOnce
		}
		if err := parsed.parseEndpoints(c); err != nil {
			return nil, err
		}
		beside := parsed.endpoints[0].hub()
		parsed.events = &beside
		for c.NextBlock() {
			if err := parsed.parseProperty(c); err != nil {
				return nil, err
			}
		}
	}
	return parsed, nil
}

func (p *config) parseEndpoints(c *caddy.Controller) error {
	texts := c.RemainingArgs()
	if len(texts) == 0 {
		return c.ArgErr()
	}
	if len(texts) > endpointsMost {
		return c.Errf("%d endpoints, expected at most %d", len(texts), endpointsMost)
	}
	for _, text := range texts {
		parsed, err := parseAddress(text)
		if err != nil {
			return c.Err(err.Error())
		}
		for _, other := range p.endpoints {
			if other == parsed {
				return c.Errf("endpoint %q is there twice", text)
			}
		}
		p.endpoints = append(p.endpoints, parsed)
	}
	return nil
}

func (p *config) parseProperty(c *caddy.Controller) error {
	property, values := c.Val(), c.RemainingArgs()
	if property == "tls" {
		return p.parseTLS(c, values)
	}
	if len(values) != 1 {
		return c.ArgErr()
	}
	value := values[0]
	switch property {
	case "token":
		return p.parseToken(c, value)
	case "timeout":
		return p.parseTimeout(c, value)
	case "fail":
		return oneOf(c, value, "open", "closed", &p.isClosed)
	case "mode":
		return oneOf(c, value, "enforce", "shadow", &p.isShadow)
	case "cache":
		return p.parseCache(c, value)
	case "events":
		return p.parseEvents(c, value)
	}
	return c.Errf("unknown property '%s', expected token, tls, timeout, fail, mode, cache or events", property)
}

func oneOf(c *caddy.Controller, value, no, yes string, into *bool) error {
	if value != no && value != yes {
		return c.Errf("'%s', expected %s or %s", value, no, yes)
	}
	*into = value == yes
	return nil
}

func (p *config) parseTLS(c *caddy.Controller, files []string) error {
	if len(files) > 3 {
		return c.ArgErr()
	}
	for i := range files {
		files[i] = rooted(c, files[i])
	}
	made, err := pkgtls.NewTLSConfigFromArgs(files...)
	if err != nil {
		return c.Err(err.Error())
	}
	p.tls = made
	return nil
}

func (p *config) parseToken(c *caddy.Controller, path string) error {
	read, err := newBearer(rooted(c, path))
	if err != nil {
		return c.Err(err.Error())
	}
	p.token = read
	return nil
}

func (p *config) parseTimeout(c *caddy.Controller, text string) error {
	timeout, err := time.ParseDuration(text)
	if err != nil || timeout < time.Millisecond || timeout > longestTimeout {
		return c.Errf("timeout '%s', expected a duration from 1ms to %s, such as 50ms", text, longestTimeout)
	}
	p.timeout = timeout
	return nil
}

func (p *config) parseCache(c *caddy.Controller, text string) error {
	size, err := strconv.Atoi(text)
	if err != nil || size < smallestCache || size > largestCache {
		return c.Errf("cache '%s', expected a number of verdicts from %d to %d", text, smallestCache, largestCache)
	}
	p.cacheSize = size
	return nil
}

func (p *config) parseEvents(c *caddy.Controller, text string) error {
	if text == "off" {
		p.events = nil
		return nil
	}
	parsed, err := parseAddress(text)
	if err != nil {
		return c.Errf("events %s, or off", err)
	}
	p.events = &parsed
	return nil
}

// hub is where the hub of a verdict service listens unless it is told: the socket beside the socket, the port of the
// same machine's hub, or the same server, which then leads to both.
func (a address) hub() address {
	switch {
	case a.socket != "":
		path := filepath.Join(filepath.Dir(a.socket), hubSocket)
		return address{"unix://" + path, path}
	case strings.HasPrefix(a.text, "http://"):
		host := strings.TrimPrefix(a.text, "http://")
		if end := strings.LastIndexByte(host, ':'); end > strings.LastIndexByte(host, ']') {
			host = host[:end]
		}
		return address{fmt.Sprintf("http://%s:%s", host, hubPort), ""}
	}
	return a
}

func rooted(c *caddy.Controller, path string) string {
	if root := dnsserver.GetConfig(c).Root; root != "" && !filepath.IsAbs(path) {
		return filepath.Join(root, path)
	}
	return path
}
