package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"time"
)

// httpMain asks the control of simulated stations: http URL looks, http URL
// BODY does something, http until URL REGEXP looks until the answer matches.
func httpMain() {
	args := os.Args[1:]
	if args[0] == "until" {
		until(args[1], regexp.MustCompile(args[2]))
		return
	}
	method, body := http.MethodGet, ""
	if len(args) > 1 {
		method, body = http.MethodPost, args[1]
	}
	status, text, err := ask(method, args[0], body)
	fmt.Print(text)
	if err != nil || status != http.StatusOK {
		fmt.Fprintln(os.Stderr, status, err)
		os.Exit(1)
	}
}

func until(url string, pattern *regexp.Regexp) {
	var text string
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		_, text, _ = ask(http.MethodGet, url, "") // it may not listen yet
		if pattern.MatchString(text) {
			fmt.Print(text)
			return
		}
	}
	fmt.Fprintf(os.Stderr, "%s does not become %s\n", text, pattern)
	os.Exit(1)
}

func ask(method, url, body string) (int, string, error) {
	r, err := http.NewRequestWithContext(context.Background(), method, url, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	if token := os.Getenv("RESCTL_TOKEN"); token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	b, err := io.ReadAll(response.Body)
	return response.StatusCode, string(b), err
}
