package web_test

import (
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestContrast holds the colours, light and dark, to WCAG 2.2 AA: 1.4.3 for what
// is text, 1.4.11 for what is drawn.
func TestContrast(t *testing.T) {
	css, err := os.ReadFile("files/style.css")
	if err != nil {
		t.Fatal(err)
	}
	light, rest, _ := strings.Cut(string(css), "@media (prefers-color-scheme: dark)")
	dark, _, _ := strings.Cut(rest, "@media")
	for scheme, text := range map[string]string{"light": light, "dark": dark} {
		colours := map[string]float64{}
		for _, m := range regexp.MustCompile(`--([\w-]+): #([0-9a-f]{3,6});`).FindAllStringSubmatch(text, -1) {
			colours[m[1]] = luminance(m[2])
		}
		for name, least := range map[string]float64{"ink": 4.5, "faint": 4.5, "brand": 4.5, "amiss": 4.5, "held": 3, "used": 3, "wanted": 3, "focus": 3} {
			for _, below := range []string{"ground", "sheet"} {
				a, b := colours[name], colours[below]
				if c := (max(a, b) + 0.05) / (min(a, b) + 0.05); c < least || a == 0 || b == 0 {
					t.Errorf("%s: %s on %s has a contrast of %.2f, and needs %v", scheme, name, below, c, least)
				}
			}
		}
	}
}

// luminance is the relative luminance of a colour such as "fff" or "0b6e4f".
func luminance(hex string) float64 {
	if len(hex) == 3 {
		hex = hex[:1] + hex[:1] + hex[1:2] + hex[1:2] + hex[2:] + hex[2:]
	}
	var sum float64
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, _ := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		x := float64(n) / 255
		if x <= 0.04045 {
			x /= 12.92
		} else {
			x = math.Pow((x+0.055)/1.055, 2.4)
		}
		sum += weight * x
	}
	return sum
}
