package proxy

// better tells whether final response a is to be sent in place of b, which is 0
// when there is none yet (RFC 3261 section 16.7 step 6): a 6xx before all, then
// the lowest class, in it what tells the caller how to do better, and last what
// only says that a branch has ended.
func better(a, b int) bool {
	if b == 0 {
		return true
	}
	ra, rb := rank(a), rank(b)
	return ra < rb || ra == rb && a/100 == 5 && a == 503 && b != 503
}

func rank(code int) int {
	switch {
	case code/100 == 6:
		return 0
	case code/100 == 4:
		switch code {
		case 415, 420, 484: // section 16.7 step 6 names them
			return 1
		case 408, 480, 487, 430:
			return 3
		}
		return 2
	case code/100 == 5:
		if code == 503 {
			return 5
		}
		return 4
	}
	return 6
}

// outward is the code by which a response of a branch goes to the caller. A
// redirection is not followed and not passed on: it would take the caller past
// who may call whom. A phone's or a PBX's demand for credentials is not the
// caller's to answer, who would give away what it has for us. 503 is about the
// branch, not about this server (section 16.7 step 6); 430 is between this
// server and a flow (RFC 5626 section 5.3.1).
func outward(code int) int {
	switch {
	case code == 401, code == 407:
		return 403
	case code/100 == 3, code == 430:
		return 480
	case code == 503:
		return 500
	}
	return code
}

// ofWay is the code for a way to the upstream that led to no answer: a gateway
// that is silent is 504 (RFC 3261 section 21.5.5), one that cannot be reached
// 503, which here is about this server: there is no other.
func ofWay(code int) int {
	switch code {
	case 408:
		return 504
	case 430, 503:
		return 503
	}
	return outward(code)
}
