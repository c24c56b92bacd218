// The page of the test: registers, tells what came of it, and unregisters when
// told. What the test reads is window.perch.
import JsSIP from 'jssip';

window.perch = { log: [], registered: 0, notified: 0, closed: 0 };

window.register = ({ url, user, domain, password }) => {
  const ua = new JsSIP.UA({
    sockets: [new JsSIP.WebSocketInterface(url)],
    uri: `sip:${user}@${domain}`,
    authorization_user: user,
    password,
    register_expires: 600,
  });
  const told = window.perch;
  ua.on('connected', () => told.log.push('connected'));
  ua.on('disconnected', () => { told.closed++; told.log.push('disconnected'); });
  ua.on('registered', () => { told.registered++; told.log.push('registered'); });
  ua.on('unregistered', () => told.log.push('unregistered'));
  ua.on('registrationFailed', (e) => told.log.push(`failed ${e.cause}`));
  ua.start();
  window.ua = ua;
};
