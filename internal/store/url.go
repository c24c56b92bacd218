package store

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// parseURL reads a redis.url:
//
//	redis://[user:password@]host[:port][/db]                rediss:// with TLS
//	redis+sentinel://[user:password@]host[:port],.../master[/db][?sentinel_username=&sentinel_password=]
//	redis+cluster://[user:password@]host[:port],...
//
// rediss+sentinel and rediss+cluster use TLS to every node. Errors never repeat
// the URL, because it may hold a password.
func parseURL(text string) (*redis.UniversalOptions, error) {
	text, list := cutHosts(text)
	u, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("redis.url is not a URL")
	}
	o := connection()
	scheme, kind, _ := strings.Cut(u.Scheme, "+")
	if (scheme != "redis" && scheme != "rediss") || !slices.Contains([]string{"", "sentinel", "cluster"}, kind) || u.Opaque != "" {
		return nil, errors.New("redis.url: its scheme is one of redis, rediss, redis+sentinel, redis+cluster, or it is memory: or empty")
	}
	port := "6379"
	if kind == "sentinel" {
		port = "26379"
	}
	if o.Addrs, err = hosts(list, port); err != nil {
		return nil, err
	}
	if kind == "" && len(o.Addrs) > 1 {
		return nil, errors.New("redis.url: several hosts are for redis+sentinel or redis+cluster")
	}
	if u.User != nil {
		o.Username = u.User.Username()
		o.Password, _ = u.User.Password()
	}
	if scheme == "rediss" {
		o.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
		if kind == "" {
			o.TLSConfig.ServerName, _, _ = net.SplitHostPort(o.Addrs[0])
		}
	}
	if err := pathOf(o, kind, strings.Trim(u.Path, "/")); err != nil {
		return nil, err
	}
	return o, queryOf(o, kind, u.RawQuery)
}

// cutHosts takes the list of hosts out of a URL and leaves one name there,
// because net/url reads "a:1,b:2" as a bad port.
func cutHosts(text string) (rest, list string) {
	scheme, after, found := strings.Cut(text, "://")
	if !found {
		return text, ""
	}
	end := strings.IndexAny(after, "/?#")
	if end < 0 {
		end = len(after)
	}
	start := strings.LastIndexByte(after[:end], '@') + 1
	return scheme + "://" + after[:start] + "host" + after[end:], after[start:end]
}

// hosts splits host[:port],... .
func hosts(list, port string) ([]string, error) {
	var addrs []string
	for h := range strings.SplitSeq(list, ",") {
		host, p := h, port
		if strings.LastIndexByte(h, ':') > strings.LastIndexByte(h, ']') {
			var err error
			if host, p, err = net.SplitHostPort(h); err != nil {
				return nil, errors.New("redis.url: an address is host:port")
			}
		}
		host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
		if n, err := strconv.Atoi(p); !isHost(host) || err != nil || n < 1 || n > 65535 {
			return nil, errors.New("redis.url: an address is host:port")
		}
		addrs = append(addrs, net.JoinHostPort(host, p))
	}
	return addrs, nil
}

// isHost takes names and IP addresses, a zone included.
func isHost(h string) bool {
	odd := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(".-_:%", r)
	}
	return h != "" && !strings.ContainsFunc(h, odd)
}

// pathOf takes the database number, and before it Sentinel's master name.
func pathOf(o *redis.UniversalOptions, kind, path string) error {
	parts := strings.Split(path, "/")
	if kind == "sentinel" {
		o.MasterName, parts = parts[0], parts[1:]
		if o.MasterName == "" {
			return errors.New("redis.url: redis+sentinel ends in /<name of the master>")
		}
	}
	if len(parts) == 0 || parts[0] == "" {
		o.IsClusterMode = kind == "cluster"
		return nil
	}
	db, err := strconv.Atoi(parts[0])
	if err != nil || db < 0 || len(parts) > 1 {
		return errors.New("redis.url: after the address only the number of the database may follow")
	}
	if kind == "cluster" && db != 0 {
		return errors.New("redis.url: Redis Cluster has database 0 only")
	}
	o.DB, o.IsClusterMode = db, kind == "cluster"
	return nil
}

func queryOf(o *redis.UniversalOptions, kind, raw string) error {
	q, err := url.ParseQuery(raw)
	if err != nil {
		return errors.New("redis.url: its query is not key=value")
	}
	for k, v := range q {
		switch {
		case kind == "sentinel" && k == "sentinel_username":
			o.SentinelUsername = v[0]
		case kind == "sentinel" && k == "sentinel_password":
			o.SentinelPassword = v[0]
		default:
			return fmt.Errorf("redis.url: unknown option %q", k)
		}
	}
	return nil
}

// connection holds what every client of ours has. A script may run twice when
// its answer was lost: all of ours are idempotent, so that a retry bridges the
// restart of a server. Nothing takes longer than a SIP client waits.
func connection() *redis.UniversalOptions {
	return &redis.UniversalOptions{
		Protocol:                 3,
		ContextTimeoutEnabled:    true,
		DialTimeout:              time.Second,
		DialerRetries:            1,
		ReadTimeout:              time.Second,
		WriteTimeout:             time.Second,
		MaxRetries:               8,
		MinRetryBackoff:          20 * time.Millisecond,
		MaxRetryBackoff:          500 * time.Millisecond,
		PoolSize:                 max(32, 10*runtime.GOMAXPROCS(0)),
		PoolTimeout:              2 * time.Second,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
}
