package namewarden

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestMain ends with none of our goroutines, and none of net/http that serve them.
func TestMain(m *testing.M) {
	status := m.Run()
	if left := leftGoroutines(3 * time.Second); left != "" && status == 0 {
		fmt.Fprintf(os.Stderr, "goroutines are left:\n%s\n", left)
		status = 1
	}
	os.Exit(status)
}

// leftGoroutines waits until only the tests' own are there; what is left after that is told.
func leftGoroutines(patience time.Duration) string {
	end := time.Now().Add(patience)
	for {
		left := ourGoroutines()
		if left == "" || time.Now().After(end) {
			return left
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func ourGoroutines() string {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	var ours []string
	for i, stack := range strings.Split(string(stacks), "\n\n") {
		if i > 0 && (strings.Contains(stack, "/coredns/namewarden") || strings.Contains(stack, "net/http.(*persistConn)")) {
			if !strings.Contains(stack, "testing.(*") {
				ours = append(ours, stack)
			}
		}
	}
	return strings.Join(ours, "\n\n")
}
