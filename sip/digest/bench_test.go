package digest

import (
	"testing"
	"time"
)

func BenchmarkParseCredentials(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseCredentials(vectors[0].header); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	for _, v := range vectors[1:3] {
		c, err := ParseCredentials(v.header)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(string(c.Algorithm), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !c.Verify(v.password, "GET", MD5, SHA256) {
					b.Fatal("does not verify")
				}
			}
		})
	}
}

func BenchmarkNonce(b *testing.B) {
	n := NewNonces([]byte("key"), "node", "boot", time.Hour, time.Now)
	b.Run("issue", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			n.Issue()
		}
	})
	b.Run("check", func(b *testing.B) {
		nonce := n.Issue()
		b.ReportAllocs()
		for b.Loop() {
			if n.Check(nonce) != Fresh {
				b.Fatal("not fresh")
			}
		}
	})
}

func BenchmarkWindow(b *testing.B) {
	n := NewNonces([]byte("key"), "node", "boot", time.Hour, time.Now)
	b.Run("count", func(b *testing.B) {
		w, nonce, nc := NewWindow(0), n.Issue(), uint32(0)
		b.ReportAllocs()
		for b.Loop() {
			nc++
			if !w.Use(nonce, nc) {
				b.Fatal("refused")
			}
		}
	})
	b.Run("full", func(b *testing.B) {
		w, nonces := NewWindow(1000), make([]string, 4000)
		for i := range nonces {
			nonces[i] = n.Issue()
		}
		i := 0
		b.ReportAllocs()
		for b.Loop() {
			w.Use(nonces[i%len(nonces)], 1)
			i++
		}
	})
}
