#!/usr/bin/perl
# One call with Net::SIP: dials, presses keys at given times, records what it
# hears as raw mu-law, and ends when the other side hangs up.
# Usage: dial.pl PORT SERVER USER PASSWORD DIALLED OUTPUT [SECONDS:KEYS...]
#        dial.pl PORT SERVER USER PASSWORD DIALLED OUTPUT play:FILE   (raw mu-law)
use strict;
use warnings;
use Net::SIP;

my ($port, $server, $user, $password, $dialled, $output, @keys) = @ARGV;
my $ua = Net::SIP::Simple->new(
	outgoing_proxy => $server,
	leg            => Net::SIP::Leg->new(addr => '127.0.0.1', port => $port),
	domain         => 'acme.test',
	from           => $user,
	auth           => [ $user, $password ],
);

my $file;
$file = $1 if @keys and $keys[0] =~ m{^play:(.+)};
my $over;
my $call = $ua->invite(
	"sip:$dialled\@acme.test",
	init_media => $file ? $ua->rtp('send_recv', $file, 1, $output) : $ua->rtp('recv_echo', $output, -1),
	cb_rtp_done => sub { },    # what there was to play is over; the call is not
	recv_bye    => \$over,
) or die 'invite failed: ' . $ua->error;
die 'invite failed: ' . $call->error if $call->error;

unless ($file) {
	for (@keys) {
		my ($after, $press) = split m{:}, $_, 2;
		$ua->add_timer($after, sub { $call->dtmf($press, methods => 'rfc2833', duration => 100) });
	}
}
my $late;
$ua->add_timer(90, \$late);
$ua->loop(\$late, \$over);
die "nobody hung up\n" if $late;
print "ended\n";
