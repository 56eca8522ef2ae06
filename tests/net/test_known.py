"""Which questions came lately."""

from namewarden.net.known import PLACES, KnownQuestions


def test_a_question_is_known_the_second_time():
    known = KnownQuestions()
    assert [known.is_known(b"once"), known.is_known(b"once")] == [False, True]
    strangers = sum(known.is_known(b"stranger %d" % index) for index in range(20_000))
    assert strangers < 20


def test_questions_that_share_a_place_are_all_known_the_second_time():
    """With one mark a place, a twelfth of 10,000 questions asked in turn would never be known."""
    known = KnownQuestions()
    questions = [b"question %d" % index for index in range(PLACES // 3)]
    for question in questions:
        known.is_known(question)
    assert sum(known.is_known(question) for question in questions) > 0.99 * len(questions)
