package namewarden

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coredns/caddy"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestSetup(t *testing.T) {
	folder := t.TempDir()
	token, empty := filepath.Join(folder, "token"), filepath.Join(folder, "empty")
	write(t, token, "secret\n")
	write(t, empty, "\n")
	for _, each := range []struct {
		name, input string
		wrong       string // what the error says; "" = there is none
	}{
		{"a socket", "namewarden unix:///run/namewarden/verdict.sock", ""},
		{"https", "namewarden https://warden.example.org:8052", ""},
		{"loopback", "namewarden http://127.0.0.1:8052", ""},
		{"loopback, IPv6", "namewarden http://[::1]:8052", ""},
		{"several", "namewarden unix:///a.sock https://192.0.2.1:8052 https://192.0.2.2:8052", ""},
		{"all properties", "namewarden unix:///a.sock {\ntoken " + token + "\ntls\ntimeout 20ms\nfail closed\nmode shadow\ncache 100000\nevents https://hub.example.org\n}", ""},
		{"events off", "namewarden unix:///a.sock {\nevents off\n}", ""},
		{"no endpoint", "namewarden", "Wrong argument count"},
		{"no scheme", "namewarden 192.0.2.1:8052", "expected unix:///PATH, https://HOST:PORT"},
		{"another scheme", "namewarden grpc://192.0.2.1", "expected unix:///PATH, https://HOST:PORT"},
		{"names in the clear", "namewarden http://192.0.2.1:8052", "expected https:// for another machine"},
		{"a socket without a path", "namewarden unix://run/verdict.sock", "expected unix:///path"},
		{"a path", "namewarden https://192.0.2.1/api", "expected unix:///PATH, https://HOST:PORT"},
		{"a password", "namewarden https://me:secret@192.0.2.1", "expected unix:///PATH, https://HOST:PORT"},
		{"twice the same", "namewarden unix:///a.sock unix:///a.sock", "is there twice"},
		{"too many", "namewarden" + strings.Repeat(" unix:///a.sock", 16), "expected at most 15"},
		{"twice", "namewarden unix:///a.sock\nnamewarden unix:///b.sock", "this plugin can only be used once"},
		{"an unknown property", "namewarden unix:///a.sock {\nretries 3\n}", "unknown property 'retries', expected token, tls"},
		{"no value", "namewarden unix:///a.sock {\ntimeout\n}", "Wrong argument count"},
		{"two values", "namewarden unix:///a.sock {\nmode shadow enforce\n}", "Wrong argument count"},
		{"no duration", "namewarden unix:///a.sock {\ntimeout 50\n}", "expected a duration from 1ms to 10s"},
		{"too short", "namewarden unix:///a.sock {\ntimeout 1us\n}", "expected a duration from 1ms to 10s"},
		{"too long", "namewarden unix:///a.sock {\ntimeout 1h\n}", "expected a duration from 1ms to 10s"},
		{"fail", "namewarden unix:///a.sock {\nfail ajar\n}", "'ajar', expected open or closed"},
		{"mode", "namewarden unix:///a.sock {\nmode off\n}", "'off', expected enforce or shadow"},
		{"cache", "namewarden unix:///a.sock {\ncache many\n}", "expected a number of verdicts from 64"},
		{"cache too small", "namewarden unix:///a.sock {\ncache 0\n}", "expected a number of verdicts from 64"},
		{"no token", "namewarden unix:///a.sock {\ntoken /nowhere/token\n}", "no such file"},
		{"an empty token", "namewarden unix:///a.sock {\ntoken " + empty + "\n}", "expected one token"},
		{"no certificate", "namewarden https://192.0.2.1 {\ntls /nowhere/cert /nowhere/key\n}", "/nowhere/cert"},
		{"tls", "namewarden https://192.0.2.1 {\ntls a b c d\n}", "Wrong argument count"},
		{"events", "namewarden unix:///a.sock {\nevents on\n}", "or off"},
	} {
		t.Run(each.name, func(t *testing.T) {
			c := caddy.NewTestController("dns", each.input)
			err := setup(c)
			if each.wrong == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), each.wrong) || !strings.HasPrefix(err.Error(), "plugin/namewarden: ") {
				t.Errorf("said %v, expected %q", err, each.wrong)
			}
			if strings.Contains(each.input, "{") && !strings.Contains(err.Error(), "Testfile:2") {
				t.Errorf("no line in %v", err)
			}
		})
	}
}

func TestDefaultsAndValues(t *testing.T) {
	parsed, err := parse(caddy.NewTestController("dns", "namewarden unix:///run/verdict.sock"))
	if err != nil {
		t.Fatal(err)
	}
	if parsed.timeout != defaultTimeout || parsed.cacheSize != defaultCache || parsed.isClosed || parsed.isShadow {
		t.Errorf("the defaults are %+v", parsed)
	}
	parsed, err = parse(caddy.NewTestController("dns", "namewarden unix:///run/verdict.sock {\ntimeout 20ms\nfail closed\nmode shadow\ncache 100\n}"))
	if err != nil {
		t.Fatal(err)
	}
	if parsed.timeout.String() != "20ms" || parsed.cacheSize != 100 || !parsed.isClosed || !parsed.isShadow {
		t.Errorf("parsed %+v", parsed)
	}
}

func TestWhereTheHubIs(t *testing.T) {
	for input, want := range map[string]string{
		"unix:///run/namewarden/verdict.sock":                      "unix:///run/namewarden/hub.sock",
		"http://127.0.0.1:8052":                                    "http://127.0.0.1:8050",
		"http://[::1]:8052":                                        "http://[::1]:8050",
		"https://warden.example.org":                               "https://warden.example.org",
		"unix:///a.sock {\nevents https://hub.example.org:8443\n}": "https://hub.example.org:8443",
		"unix:///a.sock {\nevents unix:///other/hub.sock\n}":       "unix:///other/hub.sock",
	} {
		parsed, err := parse(caddy.NewTestController("dns", "namewarden "+input))
		if err != nil || parsed.events.text != want {
			t.Errorf("%s: %+v, %v", input, parsed.events, err)
		}
	}
	if parsed, err := parse(caddy.NewTestController("dns", "namewarden unix:///a.sock {\nevents off\n}")); err != nil || parsed.events != nil {
		t.Errorf("events off: %+v, %v", parsed, err)
	}
}
