"""The Hugging Face Hub: what is published of a trained GAN, and how it comes back."""
