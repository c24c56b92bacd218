// The page of the test: registers, calls, tells what came of it, and leaves when
// told. What the test reads is window.perch.
import JsSIP from 'jssip';

window.perch = { log: [], registered: 0, notified: 0, closed: 0, state: '', media: '', caller: '' };

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
  ua.on('newRTCSession', ({ originator, session }) => {
    told.state = originator === 'remote' ? 'called' : 'calling';
    told.caller = session.remote_identity.uri.user;
    window.session = session;
    session.on('progress', () => { if (told.state === 'calling') told.state = 'ringing'; });
    session.on('confirmed', () => { told.state = 'talking'; });
    session.on('hold', () => { told.state = 'held'; });
    session.on('unhold', () => { told.state = 'talking'; });
    session.on('ended', () => { told.state = 'ended'; });
    session.on('failed', (e) => { told.state = `failed ${e.cause}`; });
    session.on('peerconnection', (e) => watch(e.peerconnection));
    if (session.connection) watch(session.connection);
  });
  ua.start();
  window.ua = ua;
};

function watch(connection) {
  connection.addEventListener('iceconnectionstatechange', () => { window.perch.media = connection.iceConnectionState; });
}

const media = { mediaConstraints: { audio: true, video: false }, pcConfig: { iceServers: [] } };

window.dial = (to) => window.ua.call(`sip:${to}@acme.test`, media);
window.answer = () => window.session.answer(media);
