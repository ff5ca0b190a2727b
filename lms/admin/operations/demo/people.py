"""The people of the demo: those who run it, and sixty who study there. All of them are made up."""

from dataclasses import dataclass
from typing import Any

from lms.auth import operations as accounts
from lms.channels import operations as channels
from lms.channels import queries
from lms.core.clock import now
from lms.core.decisions import Actor

ADMIN = "Rosa Delgado"
STUDENT = "Sam Rivera"
STUDENTS = (
    "Aisha Bello", "Yuki Tanaka", "Mateo González", "Fatima Zahra Idrissi", "Lukas Bauer", "Priya Raman", "Chidi Nwosu", "Ingrid Solberg",
    "Omar Farouk", "Mei-Ling Chen", "João Pereira", "Nadia Petrova", "Kofi Mensah", "Elif Yılmaz", "Giulia Conti", "Tariq Mahmood",
    "Hana Kim", "Siobhán Murphy", "Thandiwe Dlamini", "Arjun Mehta", "Leila Hosseini", "Pedro Quispe", "Anna Kowalska", "Nguyễn Thị Lan",
    "Moses Otieno", "Sofia Lindqvist", "Ahmed Mansour", "Wanjiru Kamau", "Marek Novák", "Camille Laurent", "Rania Khoury", "Daniel Okonkwo",
    "Isabela Santos", "Farid Karimi", "Eszter Nagy", "Lerato Mokoena", "Hiroshi Sato", "Zainab Hussain", "Nikos Papadopoulos", "Amina Diallo",
    "Oleksandr Bondar", "Valentina Rojas", "Bilal Aziz", "Freya Jensen", "Tenzin Dorje", "Mariam Traoré", "Diego Fernández", "Salma Benali",
    "Ravi Chandran", "Kaisa Virtanen", "Yaw Boateng", "Ines Duarte", "Mehmet Demir", "Grace Achieng", "Ananya Iyer", "Luca Romano",
    "Noor Al-Sayed", "Stefan Popescu", "Aroha Ngata",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Staff:
    """Those who run the demo; instructors by their key in the plan."""

    admin: Actor
    instructors: dict[str, Actor]


def engage_staff(plan: dict[str, Any], password_hash: str) -> Staff:
    """The admin and the three instructors, who can sign in by password."""
    admin = _join(ADMIN, "admin", role="admin", password_hash=password_hash, title="Runs the academy")
    instructors = {
        one["key"]: _join(one["name"], one["key"], role="instructor", password_hash=password_hash, title=one["title"], bio=one["bio"])
        for one in plan["instructors"]
    }
    return Staff(admin, instructors)


def admit_student(name: str, place: int, password_hash: str | None = None) -> Actor:
    """A student who registers; without a password they would sign in by a code."""
    return _join(name, "sam" if name == STUDENT else f"student{place:02}", role="student", password_hash=password_hash)


def _join(name: str, mailbox: str, *, role: str, password_hash: str | None, **words: str) -> Actor:
    """An account at demo.example, an address that no mail ever reaches (RFC 2606), and its membership."""
    user = accounts.add_user(name, f"{mailbox}@demo.example", password_hash=password_hash, zone="Europe/Berlin")
    user.email_verified_at = now()
    member = channels.join(user.id, name, user.email, role=role)
    for key, value in words.items():
        setattr(member, key, value)
    return queries.actor_of_user(user.id)
