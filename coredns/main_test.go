package main

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	clog "github.com/coredns/coredns/plugin/pkg/log"

	"github.com/miekg/dns"
)

func init() {
	clog.Discard()
	caddy.Quiet, dnsserver.Quiet, dnsserver.Port = true, true, "0"
}

type corefile string

func (c corefile) Body() []byte       { return []byte(c) }
func (c corefile) Path() string       { return "Corefile" }
func (c corefile) ServerType() string { return "dns" }

// documents are the texts whose examples are executed.
var documents = []string{"namewarden/README.md", "../docs/coredns.md"}

// TestExamples starts a server for every Corefile of the documents, as CoreDNS does with its plugins' READMEs.
func TestExamples(t *testing.T) {
	var found []string
	for _, document := range documents {
		found = append(found, corefiles(t, document)...)
	}
	t.Chdir(t.TempDir())
	writeFiles(t)
	for _, each := range found {
		server, err := caddy.Start(corefile(anywhere(each)))
		if err != nil {
			t.Errorf("%v in\n%s", err, each)
			continue
		}
		stop(t, server)
	}
}

// corefiles are the document's fences of that kind.
func corefiles(t *testing.T, document string) []string {
	t.Helper()
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, match := range regexp.MustCompile("(?ms)^(?:~~~|```) corefile$(.*?)^(?:~~~|```)$").FindAllSubmatch(text, -1) {
		found = append(found, string(match[1]))
	}
	if len(found) < 3 {
		t.Errorf("%s has %d examples", document, len(found))
	}
	return found
}

// anywhere listens on ports that the kernel chooses. The plugin kubernetes is not in this build.
func anywhere(text string) string {
	text = regexp.MustCompile(`(?m)^(\S+):\d+ \{`).ReplaceAllString(text, "$1:0 {")
	text = regexp.MustCompile(`(?m)^(\s+)(health|ready|prometheus)( \{)?$`).ReplaceAllString(text, "$1$2 127.0.0.1:0$3")
	text = strings.Replace(text, "    loop\n", "", 1) // it asks at once
	return regexp.MustCompile(`(?ms)^    kubernetes .*?^    \}$`).ReplaceAllString(text, "")
}

// writeFiles makes what the examples name.
func writeFiles(t *testing.T) {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	certificate := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	for name, text := range map[string]string{"namewarden.token": "secret\n", "ca.pem": certificate} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestREADME has the sections of a man page, in their order (CoreDNS's plugin.md).
func TestREADME(t *testing.T) {
	text, err := os.ReadFile("namewarden/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, section := range []string{"# namewarden\n", "## Name\n", "## Description\n", "## Syntax\n", "## Metrics\n", "## Ready\n", "## Metadata\n", "## Examples\n", "## See Also\n"} {
		at := bytes.Index(text, []byte(section))
		if at < 0 {
			t.Fatalf("no %q, or not in its place", section)
		}
		text = text[at:]
	}
}

// TestMetricsAreDocumented: what is exported is in the README.
func TestMetricsAreDocumented(t *testing.T) {
	text, _ := os.ReadFile("namewarden/README.md")
	code, err := os.ReadFile("namewarden/metrics.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, match := range regexp.MustCompile(`Name:\s+"(\w+)"`).FindAllSubmatch(code, -1) {
		if name := "`coredns_namewarden_" + string(match[1]); !bytes.Contains(text, []byte(name)) {
			t.Errorf("%s is not documented", name)
		}
	}
}

// service allows every name, and takes events.
func service(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "v.sock")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/api/v1/generation", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("known") != "" {
			select {
			case <-r.Context().Done():
			case <-time.After(5 * time.Second):
			}
		}
		fmt.Fprint(w, `{"generation":"g"}`)
	})
	mux.HandleFunc("/api/v1/events", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/api/v1/verdicts", func(w http.ResponseWriter, r *http.Request) {
		var asked struct{ Queries []struct{ Name string } }
		_ = json.NewDecoder(r.Body).Decode(&asked)
		var said []map[string]any
		for _, each := range asked.Queries {
			said = append(said, map[string]any{"name": each.Name, "action": "allow", "reason": "none", "ttl": 10})
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"generation": "g", "verdicts": said})
	})
	server := &http.Server{Handler: mux}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return path
}

func block(socket, more string) corefile {
	return corefile(fmt.Sprintf(".:0 {\nbind 127.0.0.1\nnamewarden unix://%[1]s {\nevents unix://%[1]s\n}\ntemplate IN A . {\nanswer \"{{ .Name }} 60 IN A 192.0.2.1\"\n}\n%[2]s\n}", socket, more))
}

func ask(t *testing.T, server *caddy.Instance) {
	t.Helper()
	m := new(dns.Msg).SetQuestion("www.example.org.", dns.TypeA)
	got, err := dns.Exchange(m, server.Servers()[0].LocalAddr().String())
	if err != nil || len(got.Answer) != 1 {
		t.Errorf("got %v, %v", got, err)
	}
}

// TestReloadLeavesNothing: the goroutines and connections of what was before end, also when the new Corefile is given up.
func TestReloadLeavesNothing(t *testing.T) {
	socket := service(t)
	server, err := caddy.Start(block(socket, ""))
	if err != nil {
		t.Fatal(err)
	}
	ask(t, server)
	time.Sleep(100 * time.Millisecond) // until all that a query began has begun
	before := len(ours())
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for range 3 {
		if server, err = server.Restart(block(socket, "")); err != nil {
			t.Fatal(err)
		}
		ask(t, server)
		for _, wrong := range []corefile{
			block(socket, "forward"),
			block(socket, "health "+taken.Addr().String()),
		} {
			if _, err := server.Restart(wrong); err == nil {
				t.Errorf("taken:\n%s", wrong)
			}
		}
		ask(t, server)
	}
	if after := settledCount(before); after > before {
		t.Errorf("%d goroutines of ours, %d before:\n%s", after, before, strings.Join(ours(), "\n\n"))
	}
	stop(t, server)
	if left := settledCount(0); left > 0 {
		t.Errorf("at the end there are\n%s", strings.Join(ours(), "\n\n"))
	}
}

func stop(t *testing.T, server *caddy.Instance) {
	t.Helper()
	if err := server.Stop(); err != nil {
		t.Error(err)
	}
	for _, err := range server.ShutdownCallbacks() {
		t.Error(err)
	}
}

// settledCount waits until there are not more than most goroutines of ours.
func settledCount(most int) int {
	for end := time.Now().Add(3 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if count := len(ours()); count <= most && most > 0 || count == 0 || time.Now().After(end) {
			return count
		}
	}
}

func ours() (found []string) {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for _, stack := range strings.Split(string(stacks), "\n\n") {
		if strings.Contains(stack, "coredns/namewarden.") || strings.Contains(stack, "net/http.(*persistConn)") {
			found = append(found, stack)
		}
	}
	return found
}
