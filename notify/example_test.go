package notify_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/resctl/resctl/notify"
)

// verified reports whether a request of resctl is signed with the secret, and was
// signed in the last five minutes.
func verified(secret, body []byte, r *http.Request) bool {
	t, v1, ok := strings.Cut(strings.TrimPrefix(r.Header.Get("Resctl-Signature"), "t="), ",v1=")
	signed, err := strconv.ParseInt(t, 10, 64)
	got, wrong := hex.DecodeString(v1)
	if !ok || err != nil || wrong != nil || time.Since(time.Unix(signed, 0)).Abs() > 5*time.Minute {
		return false
	}
	mac := hmac.New(sha256.New, secret)
	fmt.Fprintf(mac, "%d.%s", signed, body)
	return hmac.Equal(mac.Sum(nil), got)
}

func Example() {
	secret, body := []byte("a secret of sixteen"), []byte(`{"format_version":"1.0"}`)
	r, _ := http.NewRequest(http.MethodPost, "https://hooks.example/resctl", nil)
	r.Header.Set(notify.Header, notify.Sign(secret, body, time.Now()))
	fmt.Println(verified(secret, body, r), verified(secret, append(body, ' '), r), verified([]byte("another"), body, r))
	r.Header.Set(notify.Header, notify.Sign(secret, body, time.Now().Add(-6*time.Minute)))
	fmt.Println(verified(secret, body, r))
	// Output:
	// true false false
	// false
}
