package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
)

// hookMain receives notifications: hook ADDR SECRET FILE STATUS... adds each body
// that is signed with the secret to the file, one a line, and answers one status
// after the other, the last one for ever.
func hookMain() {
	args := os.Args[1:]
	secret, err := os.ReadFile(args[1])
	if err != nil {
		panic(err)
	}
	n := 0
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		stamp, sum, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Resctl-Signature"), "t="), ",v1=")
		mac := hmac.New(sha256.New, bytes.TrimSpace(secret))
		fmt.Fprintf(mac, "%s.%s", stamp, body)
		status, _ := strconv.Atoi(args[3+min(n, len(args)-4)])
		n++
		line := fmt.Sprintf("%s\n", body)
		if hex.EncodeToString(mac.Sum(nil)) != sum {
			line = "not signed as it should be\n"
		}
		name := args[2]
		if status != http.StatusOK {
			name += ".refused"
		}
		f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err == nil {
			_, err = f.WriteString(line)
			_ = f.Close()
		}
		if err != nil {
			panic(err)
		}
		w.WriteHeader(status)
	})
	l, err := net.Listen("tcp", args[0])
	if err != nil {
		panic(err)
	}
	go endAtInterrupt()
	_ = http.Serve(l, handler)
}

// endAtInterrupt ends the receiver as it should be.
func endAtInterrupt() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	<-ctx.Done()
	os.Exit(0)
}
