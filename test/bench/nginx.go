package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// nginx is Debian's web server with one worker on the first core, as a measure
// of what a file costs that is only a file.
type nginx struct {
	cmd        *exec.Cmd
	root, addr string
}

const nginxConf = `daemon off; worker_processes 1; pid %[1]s/nginx.pid; error_log %[1]s/error.log crit;
events { worker_connections 1024; }
http {
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
  open_file_cache max=100; default_type text/plain;
  client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/fcgi; uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
  server { listen %[2]s; root %[1]s; }
}
`

func startNginx(ctx context.Context) (*nginx, error) {
	dir, err := os.MkdirTemp("", "nginx-")
	if err != nil {
		return nil, err
	}
	w := &nginx{root: dir}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	w.addr = l.Addr().String()
	if err := l.Close(); err != nil {
		return nil, err
	}
	conf := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, nginxConf, dir, w.addr), 0o644); err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o755); err != nil { // its worker is another user
		return nil, err
	}
	args := pinned("0", "nginx", "-c", conf, "-p", dir)
	w.cmd = exec.CommandContext(context.WithoutCancel(ctx), args[0], args[1:]...)
	w.cmd.Stderr = os.Stderr
	if err := w.cmd.Start(); err != nil {
		return nil, fmt.Errorf("nginx: %w", err)
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 250 {
		if conn, err := net.Dial("tcp", w.addr); err == nil {
			return w, conn.Close()
		}
		<-tick.C
	}
	w.stop()
	return nil, fmt.Errorf("nginx does not answer at %s", w.addr)
}

func (w *nginx) stop() {
	if w.cmd.Process != nil {
		_ = w.cmd.Process.Signal(os.Interrupt)
		_ = w.cmd.Wait()
	}
	_ = os.RemoveAll(w.root)
}
